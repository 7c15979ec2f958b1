import { SITES_GROUP } from "../root/accounts.ts";
import type { Settings } from "../settings.ts";

/** Where it belongs; sshd reads it from its main configuration in Debian 12 and Ubuntu 22.04. */
export const SSHD_FILE = "/etc/ssh/sshd_config.d/nusantarad.conf";

/**
 * SFTP for sites' users and nothing else: no shell, no tunnel, no view above the folder of all sites, where each user
 * can enter only its own. `%d` is the user's home, which is the site's folder as seen from there.
 */
export const sshdSnippet = ({ sitesRoot }: Pick<Settings, "sitesRoot">): string => `\
Match Group ${SITES_GROUP}
    ChrootDirectory ${sitesRoot}
    ForceCommand internal-sftp -d %d -u 0022
    PasswordAuthentication yes
    AuthenticationMethods password
    AllowTcpForwarding no
    AllowAgentForwarding no
    PermitTunnel no
    PermitTTY no
    X11Forwarding no
`;
