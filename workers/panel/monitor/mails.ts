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
        text:
          incident.state === "open"
            ? "Anda akan menerima satu email lagi ketika keadaan ini pulih."
            : "Tidak ada yang perlu dilakukan.",
      },
    ],
  }),
});

function headline({ kind, subject, state }: Incident): string {
  const open = state === "open";
  switch (kind) {
    case "service":
      return open ? `Layanan ${subject} tidak berjalan` : `Layanan ${subject} berjalan kembali`;
    case "disk":
      return open ? `Disk ${subject} hampir penuh` : `Disk ${subject} kembali lega`;
    case "certificate":
      return open ? `Sertifikat ${subject} segera berakhir` : `Sertifikat ${subject} sudah aman`;
    case "backup":
      return open ? `Cadangan ${subject} belum terbukti` : `Cadangan ${subject} sudah terbukti`;
    case "silent":
      return open ? "Agen tidak terdengar" : "Agen terdengar kembali";
    default:
      return kind satisfies never;
  }
}
