import type { Json } from "../common/fields.ts";

const hourMs = 3_600_000;

export interface Channel {
  method: string;
  code: string;
  name: string;
  /** What the merchant or the buyer is charged: rupiah, or percent of the price. */
  fee: number;
  feeType: "FLAT" | "PERCENT";
  additionalFee: number;
  /** The longest a payment may wait; `fixed` channels wait exactly so long, whatever is asked. */
  limitMs: number | null;
  fixed: boolean;
}

interface Group {
  code: string;
  name: string;
  channels: Channel[];
}

function va(code: string, name: string, limitHours?: number, fixed = false): Channel {
  const limitMs = limitHours ? limitHours * hourMs : null;
  return {
    method: "va",
    code,
    name,
    fee: 4000,
    feeType: "FLAT",
    additionalFee: 0,
    limitMs,
    fixed,
  };
}

function other(
  method: string,
  code: string,
  name: string,
  fee: number,
  feeType: Channel["feeType"],
  fixedHours?: number,
): Channel {
  const limitMs = fixedHours ? fixedHours * hourMs : null;
  return {
    method,
    code,
    name,
    fee,
    feeType,
    additionalFee: 0,
    limitMs,
    fixed: limitMs !== null,
  };
}

/** Channels and expiry limits of ipaymu.md section 3; fees are near the real ones, the file has none. */
const groups: readonly Group[] = [
  {
    code: "va",
    name: "Virtual Account",
    channels: [
      va("bag", "Bank Artha Graha"),
      va("bca", "Bank Central Asia", 12, true),
      va("bpd_bali", "BPD Bali"),
      va("bni", "Bank Negara Indonesia"),
      va("cimb", "CIMB Niaga"),
      va("mandiri", "Bank Mandiri"),
      va("bmi", "Bank Muamalat"),
      va("bri", "Bank Rakyat Indonesia", 2),
      va("bsi", "Bank Syariah Indonesia", 3),
      va("permata", "Bank Permata"),
      va("danamon", "Bank Danamon"),
      va("btn", "Bank Tabungan Negara"),
    ],
  },
  {
    code: "cstore",
    name: "Gerai",
    channels: [
      other("cstore", "alfamart", "Alfamart", 4000, "FLAT", 24),
      other("cstore", "indomaret", "Indomaret", 6500, "FLAT"),
    ],
  },
  { code: "qris", name: "QRIS", channels: [other("qris", "mpm", "QRIS", 0.7, "PERCENT", 24)] },
  {
    code: "cc",
    name: "Kartu kredit",
    channels: [{ ...other("cc", "cc", "Kartu kredit", 2.8, "PERCENT"), additionalFee: 5000 }],
  },
  {
    code: "paylater",
    name: "Bayar nanti",
    channels: [other("paylater", "akulaku", "Akulaku", 2, "PERCENT")],
  },
  { code: "cod", name: "Bayar di tempat", channels: [other("cod", "rpx", "RPX", 5000, "FLAT")] },
  {
    code: "ewallet",
    name: "Dompet digital",
    channels: [
      other("ewallet", "dana", "DANA", 1.5, "PERCENT"),
      other("ewallet", "shopeepay", "ShopeePay", 2, "PERCENT"),
    ],
  },
];

const channels: readonly Channel[] = groups.flatMap((group) => group.channels);
export const methods: readonly string[] = groups.map((group) => group.code);

export function channelsOf(method: string | null): readonly Channel[] {
  return method === null ? channels : channels.filter((channel) => channel.method === method);
}

export function findChannel(method: string, code: string): Channel | undefined {
  return channels.find((channel) => channel.method === method && channel.code === code);
}

/** QRIS, picked where a test or a person pays without saying how. */
export function qrisChannel(): Channel {
  const found = findChannel("qris", "mpm");
  if (!found) throw new Error("the channel table has no QRIS");
  return found;
}

export function feeOf(channel: Channel, price: number): number {
  const part = channel.feeType === "FLAT" ? channel.fee : (price * channel.fee) / 100;
  return Math.round(part) + channel.additionalFee;
}

/** `Data` of `GET /payment-channels`; a group without channels is documented, so there is one. */
export function channelList(url: string): Json[] {
  const listed = groups.map((group) => ({
    Code: group.code,
    Name: group.name,
    Description: group.name,
    Channels: group.channels.map((channel) => ({
      Code: channel.code,
      Name: channel.name,
      Description: channel.name,
      Logo: `${url}/logo/${channel.code}.png`,
      PaymentInstructionsDoc: "",
      FeatureStatus: "active",
      HealthStatus: "online",
      TransactionFee: {
        ActualFee: channel.fee,
        ActualFeeType: channel.feeType,
        AdditionalFee: channel.additionalFee,
      },
    })),
  }));
  const empty = { Code: "ewallet-asia", Name: "E-Wallet Asia", Description: "E-Wallet Asia" };
  return [...listed, empty];
}
