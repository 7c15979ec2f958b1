import { z } from "zod";
import type { AgentErrorCode } from "../../shared/agent-protocol/index.ts";
import { CommandError } from "../command-error.ts";

const failureBody = z.object({ error: z.string().max(300) });

const CODES: Record<number, AgentErrorCode> = {
  400: "invalid",
  404: "not_found",
  409: "conflict",
  413: "invalid",
  422: "integrity",
};

/** What the edge refused, in its words; what may pass by itself is worth another try. */
export async function edgeFailure(response: Response): Promise<CommandError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => null);
  const words = failureBody.safeParse(body).data?.error;
  const code = CODES[status] ?? "unavailable";
  const retryable = status >= 500 || status === 429;
  return new CommandError(code, words ? `the panel refused: ${words}` : "the panel refused", {
    retryable,
  });
}

/** The body of an answer, chunk by chunk. */
export async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  if (!response.body) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
