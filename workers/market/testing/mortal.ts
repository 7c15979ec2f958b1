import type { Ctx } from "../../../shared/context.ts";
import { clientOf } from "../../../shared/db/client.ts";
import { Database } from "../../../shared/db/database.ts";
import type { ConstraintErrors } from "../../../shared/db/errors.ts";
import type { Statement } from "../../../shared/db/statement.ts";
import type { Providers } from "../../../shared/providers/index.ts";

type Step = <T>(act: () => Promise<T>) => Promise<T>;

export interface Mortal {
  ctx: Ctx;
  steps: () => number;
  /** Resolves when the process was killed; nothing of it acts afterwards. */
  killed: Promise<"killed">;
}

/** The context in a process that dies at its `killAt`th call of the database, the bucket or that provider (from 0). */
export function mortalContext(
  base: Ctx,
  provider: "replicate" | "instagram",
  killAt: number,
  kill: "before" | "after",
): Mortal {
  const never = new Promise<never>(() => undefined);
  const { promise: killed, resolve: die } = Promise.withResolvers<"killed">();
  let steps = 0;
  let dead = false;
  const end = (): Promise<never> => {
    dead = true;
    die("killed");
    return never;
  };
  const step: Step = async (act) => {
    if (dead) return await never;
    const dies = steps === killAt;
    steps += 1;
    if (dies && kill === "before") return await end();
    const result = await act();
    return dies || dead ? await end() : result;
  };
  const providers: Providers = {
    ...base.providers,
    [provider]: stepped(base.providers[provider] ?? {}, step),
  };
  const assets = stepped(base.assets, step);
  const ctx: Ctx = {
    ...base,
    providers,
    assets,
    db: new SteppedDatabase(base, step),
    // A dead process's work never settles, so nobody may wait for it.
    waitUntil: (work) => void work.catch(() => undefined),
  };
  return { ctx, steps: () => steps, killed };
}

function stepped<T extends object>(target: T, step: Step): T {
  return new Proxy(target, {
    get(real, key) {
      const value = Reflect.get(real, key, real);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => step(async () => await Reflect.apply(value, real, args));
    },
  });
}

class SteppedDatabase extends Database {
  readonly #step: Step;

  constructor(ctx: Ctx, step: Step) {
    const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = ctx.config;
    super(clientOf({ databaseUrl, databaseHttpUrl }), ctx.requestId);
    this.#step = step;
  }

  override batch<const Q extends readonly Statement<unknown>[]>(
    queries: Q,
    constraints?: ConstraintErrors,
  ) {
    return this.#step(() => super.batch(queries, constraints));
  }
}
