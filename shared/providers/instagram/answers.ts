import { z } from "zod";

/** Meta answers with an object, or with a list of one under `data` (providers/instagram.md §2): both are taken. */
const unwrapped = <T extends z.ZodType>(schema: T) =>
  z.preprocess((body) => {
    const data = z.object({ data: z.array(z.unknown()).min(1) }).safeParse(body);
    return data.success ? data.data.data[0] : body;
  }, schema);

/** Ids outgrow our numbers; both forms come. */
const Id = z
  .union([z.string(), z.number(), z.bigint()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,30}$/));
const Token = z.string().min(10).max(2000);

export const Exchanged = unwrapped(
  z.object({ access_token: Token }).transform(({ access_token: token }) => ({ token })),
);

export const LongToken = z
  .object({ access_token: Token, expires_in: z.coerce.number().int().positive() })
  .transform(({ access_token: token, expires_in: seconds }) => ({ token, seconds }));
export type LongToken = z.output<typeof LongToken>;

export const Me = unwrapped(
  z
    .object({ user_id: Id, username: z.string().min(1).max(100) })
    .transform(({ user_id: accountId, username }) => ({ accountId, username })),
);

export const Created = z.object({ id: Id });

const STATUSES = ["IN_PROGRESS", "FINISHED", "PUBLISHED", "ERROR", "EXPIRED"] as const;
export const ContainerStatus = z
  .object({ status_code: z.enum(STATUSES) })
  .transform(({ status_code: status }) => ({ status }));
export type ContainerStatus = (typeof STATUSES)[number];

/** `total` differs by account and by Meta's page; what is not told is left to the publishing call itself. */
export const PublishingLimit = unwrapped(
  z
    .object({
      quota_usage: z.number().int().nonnegative(),
      config: z.object({ quota_total: z.number().int().positive() }).nullish().catch(null),
    })
    .transform(({ quota_usage: used, config }) => ({ used, total: config?.quota_total ?? null })),
);
export type PublishingLimit = z.output<typeof PublishingLimit>;

export const Permalink = z.object({
  permalink: z
    .url({ protocol: /^https$/ })
    .nullish()
    .catch(null)
    .transform((link) => link ?? null),
});
