import type { z } from "zod";
import type { Ctx, Role } from "../../../../shared/context.ts";
import type { ToolDefinition } from "../../../../shared/providers/anthropic.ts";
import type { FeatureName } from "../../admin/features.ts";

/** Of products and categories that an input speaks of, by their ids. */
export type Names = Record<string, string>;

/** What was made, by which it is undone. Without `after` there is nothing to undo. */
export interface Made {
  kind: string;
  id: string;
  after: Record<string, unknown> | null;
}

/** What a call of a tool came to. */
export interface Done {
  /** For the model. */
  told: unknown;
  /** What others wrote stands in it, so that it must reach the model as data. */
  source?: string;
  /** Where the tool did not act on something that was there. */
  made?: Made;
}

/** A call whose input fits, ready to be run once it may. */
export interface Prepared {
  tool: Tool;
  input: Record<string, unknown>;
  /** What it acts on. */
  targetId: string | undefined;
  /** What it would do, all of it, for the user to confirm: `before` is its subject as it is. */
  summary(before: Record<string, unknown> | null, names: Names): string;
  /** `actionId` names the act in the log; what is made under that name can be undone however the act ends. */
  run(ctx: Ctx, actionId: string): Promise<Done>;
}

/** One thing that the assistant can do: always a verb of a route, with that route's role, validation and feature flag. */
export interface Tool {
  definition: ToolDefinition;
  role: Role;
  writes: boolean;
  feature: FeatureName | undefined;
  /** Throws zod's error where the input does not fit. */
  prepare(input: unknown): Prepared;
}

interface ToolOf<S extends z.ZodType<Record<string, unknown>>> {
  name: string;
  description: string;
  /** For the model; `input` decides. */
  properties: Record<string, unknown>;
  required?: string[];
  role: Role;
  /** What it needs the user's yes for is decided where it is written down (market_assistant_danger). */
  writes: boolean;
  feature?: FeatureName;
  input: S;
  target?(input: z.output<S>): string | undefined;
  summary?(input: z.output<S>, before: Record<string, unknown> | null, names: Names): string;
  run(ctx: Ctx, input: z.output<S>, actionId: string): Promise<Done>;
}

/** A tool from its parts; the input's type stays inside. */
export function tool<S extends z.ZodType<Record<string, unknown>>>(parts: ToolOf<S>): Tool {
  const { name, description, properties, required, role, writes, feature } = parts;
  const made: Tool = {
    definition: {
      name,
      description,
      input_schema: { type: "object", properties, ...(required ? { required } : {}) },
    },
    role,
    writes,
    feature,
    prepare: (given) => {
      const input = parts.input.parse(given);
      return {
        tool: made,
        input,
        targetId: parts.target?.(input),
        summary: (before, names) => parts.summary?.(input, before, names) ?? description,
        run: (ctx, actionId) => parts.run(ctx, input, actionId),
      };
    },
  };
  return made;
}
