/** Takes the entries of an archive one by one, in their order. */
export interface Unpacker {
  folder(name: string): Promise<void>;
  /** The pieces of the file follow until the next call. */
  file(name: string): Promise<void>;
  bytes(piece: Uint8Array): Promise<void>;
}
