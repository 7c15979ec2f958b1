import { htmlAnswer, type TwinAnswer } from "../common/server.ts";

export interface Said {
  status: boolean;
  msg: string;
}

export function done(msg: string): Said {
  return { status: true, msg };
}

/** A refusal as most of v1 words it: HTTP 200 all the same. */
export function refused(msg: string): Said {
  return { status: false, msg };
}

/** The form of v2, which leaks into some answers of v1. */
export function refusedLikeV2(result: string, now: number): unknown {
  return { status: -1, timestamp: Math.floor(now / 1000), message: { result } };
}

/** A handler that raised: the panel answers callers of its API with the page of those who are not signed in. */
export class Raised extends Error {}

/** A refusal from the depth of a handler. */
export class Refused extends Error {}

function nginxPage(title: string): string {
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
}

export function page404(): TwinAnswer {
  return htmlAnswer(nginxPage("404 Not Found"), 404);
}

export function errorPage(status: number, words: string): TwinAnswer {
  return htmlAnswer(nginxPage(`${status} ${words}`), status);
}
