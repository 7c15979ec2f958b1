import { type Dial, Dials, dialMeanings } from "./dials.ts";
import { isObject, type Json, parseJson } from "./fields.ts";
import { type Handler, json } from "./server.ts";

/** The name under which a rule of one's own lies in its `Dials`; only its value and scope matter there. */
const carrier = "refuse";

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Dials that only one provider has, put and scoped together with the common ones by `PUT /_dials`. */
export class OwnDials<Name extends string> {
  private readonly common: Dials;
  private readonly meanings: Readonly<Record<Name, string>>;
  private readonly kept: ReadonlyMap<string, Dials>;

  constructor(common: Dials, meanings: Readonly<Record<Name, string>>) {
    this.common = common;
    this.meanings = meanings;
    this.kept = new Map(Object.keys(meanings).map((name) => [name, new Dials()]));
  }

  /** Replaces the dials of one scope, common and own; nothing changes when one of them is refused. */
  put(body: unknown): unknown[] {
    if (!isObject(body)) throw new Error("the dials must be a JSON object");
    const scope = { match: textOf(body.match), path: textOf(body.path) };
    const common: Json = {};
    const own: [Dials, unknown][] = [];
    for (const [name, value] of Object.entries(body)) {
      const dials = this.kept.get(name);
      if (!dials) common[name] = value;
      else if (value !== false && value !== null) own.push([dials, value]);
    }
    for (const [, value] of own) new Dials().put({ ...scope, [carrier]: value });
    try {
      this.common.put(common);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`${words}, ${Object.keys(this.meanings).join(", ")}`, { cause: error });
    }
    for (const dials of this.kept.values()) dials.put(scope);
    for (const [dials, value] of own) dials.put({ ...scope, [carrier]: value });
    return this.list();
  }

  take(name: Name, text: string, path = ""): Dial | undefined {
    return this.kept.get(name)?.take(carrier, text, path);
  }

  /** The text a dial was set to, `otherwise` when it was set without one, null when it is not set. */
  text(name: Name, text: string, otherwise: string): string | null {
    const dial = this.take(name, text);
    if (!dial) return null;
    return typeof dial.value === "string" ? dial.value : otherwise;
  }

  number(name: Name, text: string, otherwise: number): number {
    const dial = this.take(name, text);
    return typeof dial?.value === "number" ? dial.value : otherwise;
  }

  private list(): unknown[] {
    const own = [...this.kept].flatMap(([name, dials]) =>
      dials.list().map((dial) => ({ ...dial, name })),
    );
    return [...this.common.list(), ...own];
  }

  /** Put after the common control routes, whose place these take. */
  routes(): Record<string, Handler> {
    const meanings = { ...dialMeanings, ...this.meanings };
    return {
      "GET /_dials": () => json(200, { dials: this.list(), meanings }),
      "PUT /_dials": (request) => {
        try {
          return json(200, { dials: this.put(parseJson(request.raw)) });
        } catch (error) {
          return json(400, { error: error instanceof Error ? error.message : "bad dials" });
        }
      },
      "DELETE /_dials": (request) => {
        const match = request.query.get("match") ?? undefined;
        for (const dials of [this.common, ...this.kept.values()]) dials.clear(match);
        return json(200, { dials: this.list() });
      },
    };
  }
}
