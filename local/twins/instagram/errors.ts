import { randomBytes } from "node:crypto";
import { json, type TwinAnswer } from "../common/server.ts";

export interface Wrong {
  status: number;
  code: number;
  subcode: number | null;
  message: string;
  isTransient: boolean;
}

function wrong(code: number, subcode: number | null, message: string, isTransient = false): Wrong {
  return { status: isTransient ? 500 : 400, code, subcode, message, isTransient };
}

/** instagram.md section 6. */
export const wrongs = {
  server: wrong(-1, 2207001, "Instagram server error. Try again.", true),
  slowPicture: wrong(-2, 2207003, "It takes too long to download the media.", true),
  throttled: wrong(4, null, "Application request limit reached", true),
  spam: wrong(4, 2207051, "We restrict certain activity to protect our community."),
  quota: wrong(9, 2207042, "You reached the maximum number of posts allowed by the API."),
  unknownMedia: wrong(24, 2207006, "The media could not be found or you have no permission."),
  gone: wrong(
    24,
    2207008,
    "The media builder with this creation id does not exist or has expired.",
  ),
  restricted: wrong(25, 2207050, "The Instagram account is restricted or inactive."),
  parameter: wrong(100, null, "Invalid parameter"),
  carousel: wrong(100, 2207028, "A carousel needs between 2 and 10 items."),
  token: wrong(190, null, "Error validating access token: the session has expired or is invalid."),
  unfetchable: wrong(9004, 2207052, "The media could not be fetched from this URI."),
  notReady: wrong(9007, 2207027, "The media is not ready to be published."),
  tooLarge: wrong(36000, 2207004, "The image is too large to download (8 MiB)."),
  format: wrong(36001, 2207005, "The image format is not supported."),
  ratio: wrong(36003, 2207009, "The aspect ratio is not supported (4:5 to 1.91:1)."),
  caption: wrong(36004, 2207010, "The caption is too long."),
} as const;

export type WrongName = keyof typeof wrongs;

export function isWrongName(name: string): name is WrongName {
  return Object.hasOwn(wrongs, name);
}

/** The envelope of the Graph API. */
export function answer(what: Wrong, message: string = what.message): TwinAnswer {
  return json(what.status, {
    error: {
      message,
      type: what.code === 190 ? "OAuthException" : "IGApiException",
      code: what.code,
      ...(what.subcode !== null && { error_subcode: what.subcode }),
      is_transient: what.isTransient,
      error_user_title: "Instagram",
      error_user_msg: message,
      fbtrace_id: randomBytes(8).toString("base64url"),
    },
  });
}
