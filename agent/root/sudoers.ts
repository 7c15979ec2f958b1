import { INSTALLED } from "./call.ts";

/** Where it belongs, with the mode 0440. */
export const SUDOERS_FILE = "/etc/sudoers.d/nusantarad";

/**
 * The whole list of what the agent may do as another: start its own privileged half, with this one argument and nothing
 * more. What that does is decided by agent/root/verbs.ts, by settings that only root can write.
 */
export const SUDOERS = `Defaults:nusantarad !requiretty, env_reset, secure_path="/usr/sbin:/usr/bin:/sbin:/bin"
nusantarad ALL=(root) NOPASSWD: ${INSTALLED} root
`;
