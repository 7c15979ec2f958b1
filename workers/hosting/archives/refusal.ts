/** Why an archive is not taken, in words for its sender. */
export const REFUSAL_WORDS = {
  unsupported: "Tipe file tidak didukung. Upload file ZIP atau TAR.GZ",
  broken: "Arsip rusak atau tidak lengkap",
  empty: "Arsip tidak berisi file",
  unsafe_name: "Arsip ditolak: ada nama file yang mengarah ke luar folder",
  bad_name: "Arsip ditolak: ada nama file yang tidak dapat dipakai",
  duplicate: "Arsip ditolak: ada nama file yang sama",
  link: "Arsip ditolak: berisi tautan atau file khusus",
  encrypted: "Arsip ditolak: dilindungi kata sandi",
  method: "Arsip ditolak: metode kompresinya tidak didukung",
  nested: "Arsip ditolak: berisi arsip lain di dalamnya",
  mismatch: "Arsip ditolak: daftar isi tidak cocok dengan isinya",
  too_many: "Arsip ditolak: berisi terlalu banyak file",
  too_big: "Arsip ditolak: isinya terlalu besar setelah diekstrak",
  ratio: "Arsip ditolak: rasio kompresinya tidak wajar",
} as const;

export type RefusalReason = keyof typeof REFUSAL_WORDS;

/** An archive that is not taken. */
export class ArchiveRefusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason) {
    super(REFUSAL_WORDS[reason]);
    this.name = "ArchiveRefusal";
    this.reason = reason;
  }
}

export const refuse = (reason: RefusalReason): never => {
  throw new ArchiveRefusal(reason);
};
