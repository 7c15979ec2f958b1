import { z } from "zod";
import { siteRef } from "../../shared/agent-protocol/sites.ts";
import { backupVerbs } from "../backups/root-verbs.ts";
import { CommandError } from "../command-error.ts";
import { fileOperation, operate } from "../files/operations.ts";
import { releaseVerbs } from "../update/root-verbs.ts";
import { accountOf } from "./accounts.ts";
import { belowSites } from "./folders.ts";
import type { RootCtx } from "./root-ctx.ts";
import * as sftp from "./sftp-verbs.ts";
import * as site from "./site-verbs.ts";

interface Verb<S extends z.ZodType = z.ZodType> {
  input: S;
  /** One at a time on this server: they change what all sites share. */
  alone: boolean;
  run(root: RootCtx, input: z.output<S>): unknown;
  /** Given: the process first becomes this user for good. Its verb has a process of its own. */
  user?(root: RootCtx, input: z.output<S>): { uid: number; gid: number };
}

const verb = <S extends z.ZodType>(definition: Verb<S>) => definition as unknown as Verb;

const filesInput = z.strictObject({ site: siteRef, operation: fileOperation });

/** Everything that the privileged half does. Each input is checked here again, whoever sent it. */
export const VERBS: Record<string, Verb> = {
  "site.put": verb({ input: site.putSiteInput, alone: true, run: site.putSite }),
  "site.change": verb({ input: site.changeSiteInput, alone: true, run: site.changeSite }),
  "site.remove": verb({ input: site.removeSiteInput, alone: true, run: site.removeSite }),
  "site.restart": verb({ input: site.restartSiteInput, alone: true, run: site.restartSite }),
  "site.files": verb({
    input: filesInput,
    alone: false,
    user: (root, input) => fileUser(root, input),
    run: async (_root, input) => await operate(input.site.rootPath, input.operation),
  }),
  "sftp.set": verb({ input: sftp.setSftpInput, alone: true, run: sftp.setSftp }),
  "sftp.remove": verb({ input: sftp.removeSftpInput, alone: true, run: sftp.removeSftp }),
  "install-release": verb({ alone: true, ...releaseVerbs["install-release"] }),
  "adopt-release": verb({ alone: true, ...releaseVerbs["adopt-release"] }),
  "site.backup": verb(backupVerbs["site.backup"]),
  "sftp.find": verb({ input: sftp.findSftpInput, alone: false, run: sftp.findSftp }),
};

/** As whom a site's files are worked with: the site's own user, in the site's own folder. */
function fileUser(root: RootCtx, input: z.output<typeof filesInput>): { uid: number; gid: number } {
  belowSites(root, input.site.rootPath);
  const account = accountOf(root.settings, input.site);
  if (!account) throw new CommandError("not_found", "the site is not on this server");
  return account;
}

/** The verb and its checked input; throws `invalid` for what is not on the list. */
export function verbOf(name: string, given: unknown): { verb: Verb; input: unknown } {
  const found = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!found) throw new CommandError("invalid", "there is no such verb");
  const parsed = found.input.safeParse(given);
  if (!parsed.success) throw new CommandError("invalid", fieldsOf(parsed.error));
  return { verb: found, input: parsed.data };
}

/** Which fields are wrong; never what stood in them. */
function fieldsOf({ issues }: z.ZodError): string {
  const paths = issues.map(({ path }) => path.map(String).join(".")).slice(0, 5);
  return `these fields are not valid: ${paths.join(", ").slice(0, 300)}`;
}
