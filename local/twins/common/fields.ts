export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON; `undefined` (which JSON cannot hold) when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

interface TextRule {
  required?: boolean;
  min?: number;
  max?: number;
  pattern?: RegExp;
  oneOf?: readonly string[];
}

interface NumberRule {
  required?: boolean;
  min?: number;
  max?: number;
}

/** Reads one JSON object strictly and gathers a message per wrong field, as the providers answer them. */
export class Fields {
  readonly errors: string[];
  private readonly value: Json;
  private readonly prefix: string;

  constructor(value: unknown, prefix = "", errors: string[] = []) {
    this.errors = errors;
    this.prefix = prefix;
    this.value = isObject(value) ? value : {};
    if (!isObject(value)) this.fail("", "must be an object");
  }

  raw(name: string): unknown {
    return this.value[name];
  }

  has(name: string): boolean {
    return this.value[name] !== undefined && this.value[name] !== null;
  }

  fail(name: string, words: string): void {
    const path = [this.prefix, name].filter(Boolean).join(".");
    this.errors.push(`${path || "body"} ${words}`);
  }

  text(name: string, rule: TextRule = {}): string | undefined {
    const value = this.value[name];
    if (value === undefined || value === null || value === "") {
      if (rule.required) this.fail(name, "is required");
      return undefined;
    }
    if (typeof value !== "string") {
      this.fail(name, "must be a string");
      return undefined;
    }
    const length = [...value].length;
    if (rule.min !== undefined && length < rule.min) {
      this.fail(name, `must be at least ${rule.min} characters`);
    }
    if (rule.max !== undefined && length > rule.max) {
      this.fail(name, `must be at most ${rule.max} characters`);
    }
    if (rule.pattern && !rule.pattern.test(value)) this.fail(name, "format is invalid");
    if (rule.oneOf && !rule.oneOf.includes(value)) {
      this.fail(name, `must be one of ${rule.oneOf.join(", ")}`);
    }
    return value;
  }

  /** A JSON integer: neither a string of digits nor a number with decimals passes. */
  int(name: string, rule: NumberRule = {}): number | undefined {
    const value = this.value[name];
    if (value === undefined || value === null) {
      if (rule.required) this.fail(name, "is required");
      return undefined;
    }
    if (typeof value !== "number" || !Number.isSafeInteger(value)) {
      this.fail(name, "must be an integer");
      return undefined;
    }
    if (rule.min !== undefined && value < rule.min) {
      this.fail(name, `must be at least ${rule.min}`);
    }
    if (rule.max !== undefined && value > rule.max) this.fail(name, `must be at most ${rule.max}`);
    return value;
  }

  list(name: string, rule: { required?: boolean; min?: number; max?: number } = {}): unknown[] {
    const value = this.value[name];
    if (value === undefined || value === null) {
      if (rule.required) this.fail(name, "is required");
      return [];
    }
    if (!Array.isArray(value)) {
      this.fail(name, "must be an array");
      return [];
    }
    if (rule.min !== undefined && value.length < rule.min) {
      this.fail(name, `must have at least ${rule.min} items`);
    }
    if (rule.max !== undefined && value.length > rule.max) {
      this.fail(name, `must have at most ${rule.max} items`);
    }
    return value;
  }

  /** A nested object, its errors gathered here under `name.`. */
  inner(name: string): Fields {
    return new Fields(this.value[name], this.path(name), this.errors);
  }

  at(name: string, index: number, value: unknown): Fields {
    return new Fields(value, this.path(`${name}[${index}]`), this.errors);
  }

  private path(name: string): string {
    return this.prefix ? `${this.prefix}.${name}` : name;
  }
}
