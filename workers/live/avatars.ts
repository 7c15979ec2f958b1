import type { Ctx } from "../../shared/context.ts";

/** One grey dot, which fills whatever frame it is shown in: a picture that needs no server. */
export const NO_AVATAR =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGM4eeYyAATKAmmbES+gAAAAAElFTkSuQmCC";

/** The absolute address of a picture, for the screens that show it raw; a plain one for who has none. */
export const avatarAddress = (ctx: Ctx, path: string | null): string =>
  path ? new URL(path, ctx.config.APP_URL).href : NO_AVATAR;
