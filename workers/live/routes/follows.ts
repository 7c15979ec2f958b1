import { createRoute, z } from "@hono/zod-openapi";
import { appOk, body } from "../../../shared/http/answers.ts";
import { access, createApi } from "../../../shared/http/api.ts";
import { countFollows, follow, listFollows, unfollow } from "../follows.ts";
import { appPaging } from "../paging.ts";
import { FollowBody, FollowedShape } from "../schemas/social.ts";
import { inContractWords } from "./words.ts";

const tags = ["live: follows"];

/** Who follows whom. */
export const followRoutes = createApi();

for (const [word, summary, done, verb] of [
  ["follow", "Follow somebody", "Berhasil mengikuti", follow],
  ["unfollow", "Follow somebody no more", "Berhasil berhenti mengikuti", unfollow],
] as const) {
  followRoutes.openapi(
    createRoute({
      method: "post",
      path: `/api/follows/${word}`,
      tags,
      summary,
      middleware: [access(null)] as const,
      request: { body: body(FollowBody) },
      responses: appOk({ message: z.string() }),
    }),
    async (c) => {
      await verb(c.var.ctx, c.req.valid("json").targetUserId);
      return c.json({ success: true, message: done } as const, 200);
    },
    inContractWords,
  );
}

for (const side of ["following", "followers"] as const) {
  followRoutes.openapi(
    createRoute({
      method: "get",
      path: `/api/follows/${side}`,
      tags,
      summary: side === "following" ? "Whom I follow" : "Who follows me",
      middleware: [access(null)] as const,
      request: { query: z.object(appPaging(100)) },
      responses: appOk({
        data: z.array(FollowedShape),
        total: z.number(),
        page: z.number(),
        limit: z.number(),
      }),
    }),
    async (c) => {
      const found = await listFollows(c.var.ctx, { side, ...c.req.valid("query") });
      return c.json({ success: true, ...found } as const, 200);
    },
  );
}

const Counts = { following: z.number(), followers: z.number() };

followRoutes.openapi(
  createRoute({
    method: "get",
    path: "/api/follows/counts",
    tags,
    summary: "How many I follow, and how many follow me",
    middleware: [access(null)] as const,
    responses: appOk({ ...Counts, data: z.object(Counts) }),
  }),
  async (c) => {
    const data = await countFollows(c.var.ctx);
    return c.json({ success: true, ...data, data } as const, 200);
  },
);
