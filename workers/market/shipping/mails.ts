import type { MailTemplate } from "../../../shared/mail/mail.ts";
import { OrderMail, parcel, toBuyer, toSeller } from "../order-mail.ts";

/** Where a buyer's money is while his parcel is in trouble. */
const money = ({ order_status: status }: OrderMail) =>
  status === "refunded"
    ? "dana pesanan ini sudah dikembalikan kepada Anda"
    : "dana Anda belum diteruskan ke penjual";

/** What a seller does about a parcel; of an order whose money went back, nothing may be sent again. */
const todo = ({ order_status: status }: OrderMail, words: string, back = "jangan kirim ulang") =>
  status === "refunded" ? `Dana pesanan ini sudah dikembalikan kepada pembeli; ${back}.` : words;

const pickupRequested = toSeller(
  "pickup_requested",
  OrderMail,
  (mail) => `Penjemputan paket pesanan ${mail.number} sudah diminta`,
  () =>
    "kami sudah meminta kurir menjemput paket ini. Siapkan paketnya; nomor resi dan label menyusul begitu kurir menerbitkannya.",
  (mail) => [parcel(mail)],
);

const pickupRequestedBuyer = toBuyer(
  "pickup_requested_buyer",
  (mail) => `Pesanan ${mail.number} sedang diproses`,
  (mail) => `kurir sudah diminta menjemput paket Anda dari ${mail.store_name}.`,
  (mail) => [parcel(mail)],
);

const waybillGiven = toSeller(
  "waybill_given",
  OrderMail,
  (mail) => `Nomor resi pesanan ${mail.number} sudah terbit`,
  () =>
    "nomor resi paket ini sudah terbit. Cetak labelnya di menu pengiriman dan tempelkan pada paket.",
  (mail) => [parcel(mail)],
);

const waybillGivenBuyer = toBuyer(
  "waybill_given_buyer",
  (mail) => `Nomor resi pesanan ${mail.number}`,
  (mail) => `paket dari ${mail.store_name} memakai nomor resi di bawah ini.`,
  (mail) => [parcel(mail)],
);

const pickupCalledBack = toSeller(
  "pickup_called_back",
  OrderMail,
  (mail) => `Pembatalan penjemputan ${mail.number} sudah diminta`,
  () =>
    "permintaan Anda sudah kami teruskan ke kurir. Kurir memastikannya dalam 48 jam, dan Anda mendapat kabar lagi. Pesanannya sendiri belum dibatalkan.",
  (mail) => [parcel(mail)],
);

const pickupCalledBackBuyer = toBuyer(
  "pickup_called_back_buyer",
  (mail) => `Penjemputan paket pesanan ${mail.number} sedang dibatalkan`,
  (mail) =>
    `${mail.store_name} meminta kurir tidak menjemput paket ini. Pesanan Anda belum dibatalkan; ${money(mail)}.`,
  (mail) => [parcel(mail)],
);

const parcelCollected = toSeller(
  "parcel_collected",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} sudah diambil kurir`,
  () => "paket sudah di tangan kurir. Dana masuk ke saldo Anda setelah paket sampai.",
  (mail) => [parcel(mail)],
);

const parcelSent = toSeller(
  "parcel_sent",
  OrderMail,
  (mail) => `Pengiriman pesanan ${mail.number} tercatat`,
  () =>
    "nomor resi Anda sudah tersimpan dan pembeli sudah diberi tahu. Dana masuk ke saldo Anda setelah paket sampai.",
  (mail) => [parcel(mail)],
);

const parcelInTransit = toSeller(
  "parcel_in_transit",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} dalam perjalanan`,
  (mail) =>
    `paket sedang dalam perjalanan ke pembeli. ${todo(mail, "", "mintalah kurir mengembalikannya")}`.trim(),
  (mail) => [parcel(mail)],
);

const parcelInTransitBuyer = toBuyer(
  "parcel_in_transit_buyer",
  (mail) => `Paket pesanan ${mail.number} dalam perjalanan`,
  (mail) =>
    `paket dari ${mail.store_name} sedang dalam perjalanan ke alamat Anda${mail.order_status === "refunded" ? `; ${money(mail)}` : ""}.`,
  (mail) => [parcel(mail)],
);

const parcelRedelivery = toSeller(
  "parcel_redelivery",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} diantar ulang`,
  () => "kurir mengantar paket sekali lagi setelah pengantaran sebelumnya tidak berhasil.",
  (mail) => [parcel(mail)],
);

const parcelRedeliveryBuyer = toBuyer(
  "parcel_redelivery_buyer",
  (mail) => `Paket pesanan ${mail.number} diantar ulang`,
  (mail) =>
    `kurir mengantar paket dari ${mail.store_name} sekali lagi. Pastikan ada yang menerimanya.`,
  (mail) => [parcel(mail)],
);

const parcelResumed = toSeller(
  "parcel_resumed",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} berjalan lagi`,
  (mail) =>
    `kurir membawa paket ini lagi setelah kendala yang kami kabarkan. ${todo(mail, "Anda tidak perlu berbuat apa-apa.")}`,
  (mail) => [parcel(mail)],
);

const parcelResumedBuyer = toBuyer(
  "parcel_resumed_buyer",
  (mail) => `Paket pesanan ${mail.number} berjalan lagi`,
  (mail) => `kurir membawa paket dari ${mail.store_name} lagi setelah kendala yang kami kabarkan.`,
  (mail) => [parcel(mail)],
);

const parcelQuiet = toSeller(
  "parcel_quiet",
  OrderMail,
  (mail) => `Belum ada kabar paket pesanan ${mail.number}`,
  () =>
    "sudah 30 hari tidak ada kabar apa pun tentang paket ini. Tim kami sekarang memeriksanya. Jika sudah dikirim, silakan tanyakan juga kepada kurir dengan nomor resinya.",
  (mail) => [parcel(mail)],
);

const parcelQuietBuyer = toBuyer(
  "parcel_quiet_buyer",
  (mail) => `Belum ada kabar paket pesanan ${mail.number}`,
  (mail) =>
    `sudah 30 hari tidak ada kabar apa pun tentang paket dari ${mail.store_name}. Tim kami sekarang memeriksanya; ${money(mail)}. Jika paketnya sudah Anda terima, konfirmasikan di halaman pesanan.`,
  (mail) => [parcel(mail)],
);

const parcelRefused = toSeller(
  "parcel_refused",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} ditolak`,
  (mail) =>
    `kurir melaporkan bahwa paket ditolak dan akan dikembalikan kepada Anda. ${todo(mail, "Silakan hubungi pembeli.")}`,
  (mail) => [parcel(mail)],
);

const parcelRefusedBuyer = toBuyer(
  "parcel_refused_buyer",
  (mail) => `Paket pesanan ${mail.number} ditolak`,
  (mail) =>
    `kurir melaporkan bahwa paket dari ${mail.store_name} ditolak dan akan dikembalikan; ${money(mail)}.`,
  (mail) => [parcel(mail)],
);

const parcelReturning = toSeller(
  "parcel_returning",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} sedang dikembalikan kepada Anda`,
  () => "paket tidak sampai dan sedang dalam perjalanan kembali kepada Anda.",
  (mail) => [parcel(mail)],
);

const parcelReturningBuyer = toBuyer(
  "parcel_returning_buyer",
  (mail) => `Paket pesanan ${mail.number} sedang dikembalikan`,
  (mail) => `paket sedang dalam perjalanan kembali ke ${mail.store_name}; ${money(mail)}.`,
  (mail) => [parcel(mail)],
);

const parcelFailed = toSeller(
  "parcel_failed",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} terkendala`,
  (mail) =>
    `kurir melaporkan kendala: paket belum dapat diantar, tertahan, atau hilang. Kami tetap mengikuti kabarnya. ${todo(mail, "Silakan hubungi pembeli; jika paket dikirim ulang, simpan nomor resi yang baru di menu pengiriman.")}`,
  (mail) => [parcel(mail)],
);

const parcelFailedBuyer = toBuyer(
  "parcel_failed_buyer",
  (mail) => `Pengiriman pesanan ${mail.number} terkendala`,
  (mail) =>
    `kurir melaporkan kendala dengan paket dari ${mail.store_name}. Kami tetap mengikuti kabarnya; ${money(mail)}.`,
  (mail) => [parcel(mail)],
);

const parcelCancelled = toSeller(
  "parcel_cancelled",
  OrderMail,
  (mail) => `Penjemputan paket pesanan ${mail.number} dibatalkan`,
  (mail) =>
    `penjemputan paket ini dibatalkan. ${todo(mail, "Silakan kirim paket ini sendiri dan simpan nomor resinya di menu pengiriman.", "jangan kirim paketnya")}`,
  (mail) => [parcel(mail)],
);

const parcelCancelledBuyer = toBuyer(
  "parcel_cancelled_buyer",
  (mail) => `Penjemputan paket ${mail.number} dibatalkan`,
  (mail) =>
    `penjemputan paket dibatalkan${mail.order_status === "refunded" ? "" : `. ${mail.store_name} akan mengirimnya dengan cara lain`}; ${money(mail)}.`,
  (mail) => [parcel(mail)],
);

const parcelReturned = toSeller(
  "parcel_returned",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} dikembalikan kepada Anda`,
  (mail) =>
    `paket tidak sampai dan dikembalikan kepada Anda. ${todo(mail, "Silakan hubungi pembeli, kirim ulang, lalu simpan nomor resi yang baru di menu pengiriman.")}`,
  (mail) => [parcel(mail)],
);

const parcelReturnedBuyer = toBuyer(
  "parcel_returned_buyer",
  (mail) => `Paket pesanan ${mail.number} kembali ke penjual`,
  (mail) =>
    `paket tidak sampai dan dikembalikan ke ${mail.store_name}${mail.order_status === "refunded" ? "" : ". Penjual akan menghubungi Anda"}; ${money(mail)}.`,
  (mail) => [parcel(mail)],
);

const parcelArrived = toSeller(
  "parcel_arrived",
  OrderMail,
  (mail) => `Paket pesanan ${mail.number} sampai setelah dananya dikembalikan`,
  () =>
    "paket sudah diterima pembeli, sedangkan dana pesanan ini sudah dikembalikan kepadanya. Silakan hubungi pembeli.",
  (mail) => [parcel(mail)],
);

const parcelArrivedBuyer = toBuyer(
  "parcel_arrived_buyer",
  (mail) => `Paket pesanan ${mail.number} sudah sampai`,
  (mail) =>
    `kurir melaporkan bahwa paket dari ${mail.store_name} sudah sampai, sedangkan dana pesanan ini sudah dikembalikan kepada Anda. Silakan hubungi penjual.`,
  (mail) => [parcel(mail)],
);

/** The mails about a parcel's way, a pair of them for each step that both sides hear of. */
export const parcelMails: readonly MailTemplate<unknown>[] = [
  pickupRequested,
  pickupRequestedBuyer,
  waybillGiven,
  waybillGivenBuyer,
  pickupCalledBack,
  pickupCalledBackBuyer,
  parcelCollected,
  parcelSent,
  parcelInTransit,
  parcelInTransitBuyer,
  parcelRedelivery,
  parcelRedeliveryBuyer,
  parcelResumed,
  parcelResumedBuyer,
  parcelQuiet,
  parcelQuietBuyer,
  parcelRefused,
  parcelRefusedBuyer,
  parcelReturning,
  parcelReturningBuyer,
  parcelFailed,
  parcelFailedBuyer,
  parcelCancelled,
  parcelCancelledBuyer,
  parcelReturned,
  parcelReturnedBuyer,
  parcelArrived,
  parcelArrivedBuyer,
];
