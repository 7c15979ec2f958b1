import { z } from "zod";
import { mailTemplate } from "./template.ts";

/** To the operator: something that no retry can mend. Written by jobs_alert and inbox_dead_letter. */
export const alertMail = mailTemplate({
  name: "alert",
  schema: z.object({
    what: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
  subject: ({ what }) => `[Lumbung] ${what}`,
  page: ({ what, facts }) => ({
    title: what,
    blocks: [
      {
        kind: "facts",
        facts: Object.entries(facts).map(([label, value]) => [label, String(value)]),
      },
      {
        kind: "text",
        text: "Sistem tidak akan mencobanya lagi sendiri. Periksa log dengan id di atas.",
      },
    ],
  }),
});
