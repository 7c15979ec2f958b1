import { z } from "zod";
import { mailTemplate } from "../../../shared/mail/mail.ts";

const Incident = z.object({
  server: z.string(),
  kind: z.enum(["service", "disk", "certificate", "backup", "silent"]),
  subject: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  state: z.enum(["open", "closed"]),
  opened_at: z.string(),
  closed_at: z.string().nullable(),
  /** Why it is over; a mail of before this was told has none. */
  over: z.enum(["well", "made", "gone"]).nullish(),
});
type Incident = z.output<typeof Incident>;

/** To the operator: something is wrong with a server of the panel, or is well again. Written by panel_incidents.sql. */
export const incidentMail = mailTemplate({
  name: "panel_incident",
  schema: Incident,
  subject: (incident) => `[${incident.server}] ${headline(incident)}`,
  page: (incident) => ({
    title: headline(incident),
    blocks: [
      {
        kind: "facts",
        facts: [
          ["Server", incident.server],
          ...(incident.subject ? [["Tentang", incident.subject] as const] : []),
          ...Object.entries(incident.facts).map(([name, value]) => [name, String(value)] as const),
          ["Sejak", incident.opened_at],
          ...(incident.closed_at ? [["Sampai", incident.closed_at] as const] : []),
        ],
      },
      {
        kind: "text",
        text: closing(incident),
      },
    ],
  }),
});

function closing({ state, over }: Incident): string {
  if (state === "open") return "Anda akan menerima satu email lagi ketika keadaan ini berakhir.";
  if (over === "gone") {
    return "Keadaannya belum tentu pulih: yang diawasi sudah dihapus atau pengawasannya dimatikan.";
  }
  if (over === "made") return "Cadangan ini belum terbukti; itu terjadi sesuai jadwal.";
  return "Tidak ada yang perlu dilakukan.";
}

function headline({ kind, subject, state, over }: Incident): string {
  const open = state === "open";
  const what = subject.trim();
  const isGone = over === "gone";
  switch (kind) {
    case "service":
      if (isGone) return `Layanan ${what} tidak lagi diawasi`;
      return open ? `Layanan ${what} tidak berjalan` : `Layanan ${what} berjalan kembali`;
    case "disk":
      if (isGone) return `Disk ${what} tidak lagi terpasang`;
      return open ? `Disk ${what} hampir penuh` : `Disk ${what} kembali lega`;
    case "certificate":
      if (isGone) return `Sertifikat ${what} tidak lagi dipakai`;
      return open ? `Sertifikat ${what} segera berakhir` : `Sertifikat ${what} sudah aman`;
    case "backup":
      if (isGone) return `Cadangan ${what} tidak lagi diawasi`;
      if (over === "made") return `Cadangan ${what} berhasil dibuat kembali`;
      return open ? `Cadangan ${what} belum terbukti` : `Cadangan ${what} sudah terbukti`;
    case "silent":
      return open ? "Agen tidak terdengar" : "Agen terdengar kembali";
    default:
      return kind satisfies never;
  }
}
