import { addressIn, type Failure } from "../provider-error.ts";

/** Why the panel said no, as far as its words tell. */
export type RefusalCode =
  | "address_refused"
  | "bad_key"
  | "locked_out"
  | "exists"
  | "not_found"
  | "unknown_action"
  | "php_version"
  | "web_server_config"
  | "not_accepted";

const LOCKED_OUT_MS = 3_600_000;

/** The panel's words in its two editions and some of its languages; the first that fits. */
const WORDS: [RegExp, RefusalCode][] = [
  [/IP validation failed|IP校验失败|your access IP/i, "address_refused"],
  [/secret key verification failed|密钥校验失败/i, "bad_key"],
  [/consecutive verification failures|prohibited for|连续.*验证失败/i, "locked_out"],
  [/specific parameters are invalid|ARGS_ERR|指定参数无效/i, "unknown_action"],
  [/php.?version|PHP版本/i, "php_version"],
  [/already exist|has been added|已存在|已被使用|sudah ada/i, "exists"],
  [/not exist|not found|does ?n.t exist|no such|不存在/i, "not_found"],
  [/config(uration)? file .*(error|wrong)|nginx.*(error|fail)|配置文件/i, "web_server_config"],
];

/** What a refusal's words mean for the caller. They may hold HTML and what was sent, so that only a code is kept. */
export function failureOfText(text: string): Partial<Failure> {
  const code = WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? "not_accepted";
  switch (code) {
    case "address_refused":
      return { kind: "unauthorised", code, seenAddress: addressIn(text) };
    case "bad_key":
      return { kind: "unauthorised", code };
    case "locked_out":
      return { kind: "rate_limited", code, retryable: true, retryAfterMs: LOCKED_OUT_MS };
    case "unknown_action":
      return { kind: "invalid", code };
    default:
      return { kind: "refused", code };
  }
}
