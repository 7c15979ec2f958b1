import { createHash, randomBytes } from "node:crypto";
import type { AgentCtx } from "../../ctx.ts";
import { DatabaseError, openSession, type Session, withSession } from "./connection.ts";

export interface Account {
  user: string;
  host: string;
}

export interface Maker {
  session: Session;
  isKeeper: boolean;
}

const sha1 = (value: string | Buffer) => createHash("sha1").update(value).digest();
const hashOf = (password: string) => `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;

/**
 * Sessions in which what tenants wrote is made again: as the account that owned it, by a second password that it has for
 * as long as that takes. So nobody's text runs with more rights than its owner's, and the agent owns nothing in a
 * tenant's database. What has no owner who can sign in here (gone, from another host, the server's own) is made by the
 * database's keeper, an account with rights on that database and no others.
 */
export class Makers {
  readonly #ctx: AgentCtx;
  readonly #agent: Session;
  readonly #schema: string;
  readonly #onlyKeeper: boolean;
  readonly #sessions = new Map<string, Session | null>();
  readonly #lent: Account[] = [];
  #keeper: Session | null = null;

  constructor(ctx: AgentCtx, agent: Session, schema: string, onlyKeeper: boolean) {
    this.#ctx = ctx;
    this.#agent = agent;
    this.#schema = schema;
    this.#onlyKeeper = onlyKeeper;
  }

  /** Of the owner that is named, or of the keeper. */
  async of(owner: Account | null): Promise<Maker> {
    const own = owner && !this.#onlyKeeper ? await this.#ownerSession(owner) : null;
    return own ? { session: own, isKeeper: false } : await this.keeper();
  }

  async keeper(): Promise<Maker> {
    this.#keeper ??= await this.#keeperSession();
    return { session: this.#keeper, isKeeper: true };
  }

  /** With a session of its own: that of the restore may be the one that was killed. */
  async close(): Promise<void> {
    for (const session of [...this.#sessions.values(), this.#keeper]) await session?.close();
    const hasScratchKeeper = this.#onlyKeeper && this.#keeper !== null;
    if (this.#lent.length === 0 && !hasScratchKeeper) return;
    await withSession(this.#ctx, async (agent) => {
      for (const { user, host } of this.#lent)
        await agent.rows("call mysql.nusantara_return(?, ?)", [user, host]);
      // In a scratch schema it owns nothing that stays.
      if (hasScratchKeeper) await agent.rows("call mysql.nusantara_unkeep(?)", [this.#schema]);
    }).catch(() => this.#ctx.log.warn("a second password of a database's account is left"));
  }

  async #ownerSession(owner: Account): Promise<Session | null> {
    const key = `${owner.user}@${owner.host}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session = await this.#lend(owner).catch((error: unknown) => {
      // Refused by the procedure or at the door: whoever that is, it cannot be asked.
      if (error instanceof DatabaseError) return null;
      throw error;
    });
    this.#sessions.set(key, session);
    return session;
  }

  async #lend(owner: Account): Promise<Session | null> {
    const { user, host } = owner;
    const password = randomBytes(32).toString("base64url");
    const values = [this.#schema, user, host, hashOf(password)];
    await this.#agent.rows("call mysql.nusantara_lend(?, ?, ?, ?)", values);
    this.#lent.push(owner);
    const session = await openSession(this.#ctx, { user, password });
    const [row] = await session.rows<{ me: string }>("select current_user() as me");
    if (row?.me === `${user}@${host}`) return await this.#using(session);
    // Another account of that name is nearer to this host.
    await session.close();
    return null;
  }

  async #keeperSession(): Promise<Session> {
    const password = randomBytes(32).toString("base64url");
    const values = [this.#schema, hashOf(password)];
    const sql = "call mysql.nusantara_keeper(?, ?)";
    const [row] = await this.#agent.called<{ keeper: string }>(sql, values);
    return await this.#using(await openSession(this.#ctx, { user: row?.keeper ?? "", password }));
  }

  async #using(session: Session): Promise<Session> {
    try {
      await session.rows(`use ${session.name(this.#schema)}`);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }
}

/** Works with the makers of a schema; `onlyKeeper`: of a scratch one, where nobody else has rights. */
export async function withMakers<T>(
  ctx: AgentCtx,
  agent: Session,
  { schema, onlyKeeper }: { schema: string; onlyKeeper: boolean },
  work: (makers: Makers) => Promise<T>,
): Promise<T> {
  const makers = new Makers(ctx, agent, schema, onlyKeeper);
  try {
    return await work(makers);
  } finally {
    await makers.close();
  }
}
