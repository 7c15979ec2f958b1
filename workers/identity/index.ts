export { type RegisterInput, register } from "./accounts.ts";
export { changePassword } from "./change-password.ts";
export { sessionCookieOptions } from "./cookie.ts";
export { identityMails } from "./mails.ts";
export { findUser, type Person } from "./profile.ts";
export { RegisterBody, SignInBody } from "./schemas.ts";
export {
  banUser,
  endSession,
  purgeSignInAttempts,
  type TellSignInEnded,
  unbanUser,
} from "./sessions.ts";
export { type SignInInput, signIn } from "./signin.ts";
