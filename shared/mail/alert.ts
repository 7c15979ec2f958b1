import { z } from "zod";
import { mailTemplate } from "./template.ts";

/**
 * To the operator: something that no retry can mend; or, where it says what comes `next`, that will mend itself once
 * its cause is gone. Written by SQL: jobs_alert, inbox_dead_letter, hosting_deploys_alert and others.
 */
export const alertMail = mailTemplate({
  name: "alert",
  schema: z.object({
    what: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number()])),
    next: z.string().optional(),
  }),
  subject: ({ what }) => `[Lumbung] ${what}`,
  page: ({ what, facts, next }) => ({
    title: what,
    blocks: [
      {
        kind: "facts",
        facts: Object.entries(facts).map(([label, value]) => [label, String(value)]),
      },
      {
        kind: "text",
        text: next ?? "Sistem tidak akan mencobanya lagi sendiri. Periksa log dengan id di atas.",
      },
    ],
  }),
});
