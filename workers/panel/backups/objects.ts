import type { Ctx } from "../../../shared/context.ts";

export interface BackupId {
  id: string;
  serverId: string;
}

/** Of a server's own: what an agent may reach is made of its signature's server, never of what it says. */
const keyOf = ({ id, serverId }: BackupId): string => `panel-backups/${serverId}/${id}`;
export const archiveKey = (backup: BackupId): string => `${keyOf(backup)}.age`;
export const manifestKey = (backup: BackupId): string => `${keyOf(backup)}.json`;

/** Everything of a backup, and the parts of one that never became whole. */
export async function removeObjects(
  { assets }: Ctx,
  backup: BackupId,
  uploadId: string | null,
): Promise<void> {
  if (uploadId !== null) {
    // Fails where the upload was completed or is gone: then there are no parts.
    await assets
      .resumeMultipartUpload(archiveKey(backup), uploadId)
      .abort()
      .catch(() => undefined);
  }
  await assets.delete([archiveKey(backup), manifestKey(backup)]);
}
