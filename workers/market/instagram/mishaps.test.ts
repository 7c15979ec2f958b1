import { describe, expect, it } from "vitest";
import { runJob } from "../../../shared/jobs/jobs.ts";
import type { InstagramFault } from "../../../shared/providers/instagram.ts";
import { mortalContext } from "../testing/mortal.ts";
import { instagramJob } from "./job.ts";
import { deletePost, editPost, getPost } from "./posts.ts";
import { publishPost } from "./publish.ts";
import {
  addJpeg,
  connectedDesk,
  type Desk,
  deskContext,
  duePost,
  fault,
  letPass,
  postRow,
  turn,
} from "./testing/post-bench.ts";

const soon = () => new Date(Date.now() + 3_600_000).toISOString();

/** Wakes the post's job until the post has ended. */
async function settle(desk: Desk, id: string, most = 6) {
  for (let round = 0; round < most; round += 1) {
    const post = await getPost(desk.ctx, id);
    if (post.status !== "draft") return post;
    await turn(desk, id);
  }
  return await getPost(desk.ctx, id);
}

describe("a trouble that passes", () => {
  const passing: InstagramFault[] = [
    "unavailable",
    "unknown",
    "throttled",
    "not_ready",
    "gone",
    "quota",
  ];
  const calls = ["publishingLimit", "createContainer", "containerStatus", "publish"] as const;
  const cases = passing.flatMap((name) => calls.map((call) => [name, call] as const));

  it.each(cases)("(%s at %s) costs time and no second post", async (name, call) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    let left = 2;
    desk.fake.before = (made) => {
      if (made === call && left > 0) {
        left -= 1;
        throw fault(name);
      }
    };
    expect((await settle(desk, id, 10)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });
});

describe("a publishing call whose answer was lost", () => {
  const lost = async (isOut = true) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    const lose = (name: string) => {
      if (name === "publish") throw fault("unknown");
    };
    Object.assign(desk.fake, isOut ? { after: lose } : { before: lose });
    await turn(desk, id);
    Object.assign(desk.fake, { before: () => undefined, after: () => undefined });
    return { desk, id };
  };

  it.each(["EXPIRED", "ERROR"] as const)(
    "and whose picture is %s by then did nothing: the post is begun anew and goes out once",
    async (status) => {
      const { desk, id } = await lost(false);
      for (const container of desk.fake.containers.values()) container.status = status;
      expect((await settle(desk, id)).status).toBe("published");
      expect(desk.fake.posts).toHaveLength(1);
    },
  );

  it("is asked about, and the post is published once", async () => {
    const { desk, id } = await lost();
    expect(await postRow(id)).toMatchObject({ status: "draft" });
    expect((await settle(desk, id)).status).toBe("published");
    expect([desk.fake.posts.length, desk.fake.count("publish")]).toEqual([1, 1]);
  });

  it("is asked about also where the seller gives it up, changes it and sends it again", async () => {
    const { desk, id } = await lost();
    await letPass(id, "3 days");
    await turn(desk, id);
    expect(await getPost(desk.ctx, id)).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("Mungkin sudah terbit"),
    });
    await editPost(desk.ctx, id, { caption: "Lain sama sekali", scheduled_at: soon() });
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });

  it("and never arrived is made again, but not before that is sure", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    desk.fake.before = (name) => {
      if (name === "publish") throw fault("unknown");
    };
    await turn(desk, id);
    desk.fake.before = () => undefined;
    await letPass(id, "1 second");
    const jobId = String((await postRow(id))?.job_id);
    await runJob(deskContext(null, desk.fake), jobId, [instagramJob({ firstLookMs: 0 })]);
    expect(desk.fake.count("publish")).toBe(1);
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });
});

describe("many at once", () => {
  it("publish a post once", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    await letPass(id);
    const { run: count } = (await postRow(id)) ?? {};
    const runs = Array.from({ length: 5 }, () =>
      publishPost(
        deskContext(null, desk.fake),
        { post_id: id, run: Number(count) },
        { firstLookMs: 0 },
      ),
    );
    await Promise.all(runs);
    expect((await settle(desk, id)).status).toBe("published");
    expect([desk.fake.posts.length, desk.fake.count("publish")]).toEqual([1, 1]);
  });

  it("who publish and delete at the same moment leave a post or none, never a post that nobody knows", async () => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    const [, deleted] = await Promise.allSettled([turn(desk, id), deletePost(desk.ctx, id)]);
    expect(desk.fake.posts.length).toBe(deleted?.status === "fulfilled" ? 0 : 1);
  });
});

describe("a worker that dies", () => {
  const deaths = Array.from({ length: 11 }, (_, at) => [
    [at, "before"] as const,
    [at, "after"] as const,
  ]).flat();

  it.each(deaths)("at call %i, %s it acted, leaves a post that goes out once", async (at, kill) => {
    const desk = await connectedDesk();
    const { id } = await duePost(desk);
    const dying = mortalContext(deskContext(null, desk.fake), "instagram", at, kill);
    await Promise.race([turn(desk, id, dying.ctx), dying.killed]);
    expect((await settle(desk, id)).status).toBe("published");
    expect(desk.fake.posts).toHaveLength(1);
  });
});

it("a picture of another shape is another's post: the one that was chosen goes out", async () => {
  const desk = await connectedDesk();
  const { id } = await duePost(desk);
  const wide = await addJpeg(desk.ctx, desk.seller, 1_900, 1_000);
  await editPost(desk.ctx, id, { image_url: wide });
  await settle(desk, id);
  expect(desk.fake.posts).toMatchObject([{ imageUrl: wide }]);
});
