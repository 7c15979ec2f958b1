/** R2 takes parts of at least 5 MiB, all of one size but the last. */
const PART_BYTES = 5 * 1024 * 1024;
/** What may be written between two calls of `flush`. */
const MARGIN_BYTES = 256 * 1024;

export interface ObjectWriterOptions {
  bucket: R2Bucket;
  key: string;
  /** The type is known once the first bytes have been seen. */
  contentType(): string;
  /** Called with R2's id before the first part is sent, so that parts without an object can be found. */
  partsBegin(uploadId: string): Promise<void>;
}

/**
 * Writes an object of unknown length into R2 with one buffer of little more than a part: a small object at once, a
 * larger one part by part. Nothing is to be seen under the key before `finish` has returned.
 */
export class ObjectWriter {
  readonly #options: ObjectWriterOptions;
  #buffer = new Uint8Array(MARGIN_BYTES);
  #filled = 0;
  #upload: R2MultipartUpload | null = null;
  readonly #parts: R2UploadedPart[] = [];
  /** All bytes so far. */
  size = 0;

  constructor(options: ObjectWriterOptions) {
    this.#options = options;
  }

  /** The buffer; for tests, as it never shrinks. */
  get bufferBytes(): number {
    return this.#buffer.length;
  }

  write(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length;
    if (needed > PART_BYTES + MARGIN_BYTES) throw new Error("written without a flush");
    if (needed > this.#buffer.length) {
      // At once to its last size: each size between would be garbage beside it.
      const whole = new Uint8Array(PART_BYTES + MARGIN_BYTES);
      whole.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = whole;
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled = needed;
    this.size += bytes.length;
  }

  /** Sends what fills a part. */
  async flush(): Promise<void> {
    while (this.#filled >= PART_BYTES) {
      await this.#sendPart(PART_BYTES);
      this.#buffer.copyWithin(0, PART_BYTES, this.#filled);
      this.#filled -= PART_BYTES;
    }
  }

  async #sendPart(length: number): Promise<void> {
    this.#upload ??= await this.#begin();
    const number = this.#parts.length + 1;
    this.#parts.push(await this.#upload.uploadPart(number, this.#buffer.subarray(0, length)));
  }

  async #begin(): Promise<R2MultipartUpload> {
    const { bucket, key, contentType, partsBegin } = this.#options;
    const upload = await bucket.createMultipartUpload(key, {
      httpMetadata: { contentType: contentType() },
    });
    // Kept before anything can fail, so that `abort` knows it.
    this.#upload = upload;
    await partsBegin(upload.uploadId);
    return upload;
  }

  /** The object is whole from here on. */
  async finish(): Promise<void> {
    await this.flush();
    if (this.#upload === null) {
      const { bucket, key, contentType } = this.#options;
      const bytes = this.#buffer.subarray(0, this.#filled);
      await bucket.put(key, bytes, { httpMetadata: { contentType: contentType() } });
      return;
    }
    if (this.#filled > 0) await this.#sendPart(this.#filled);
    await this.#upload.complete(this.#parts);
  }

  /** Leaves nothing, however far it came. */
  async abort(): Promise<void> {
    await removeObject(this.#options.bucket, this.#options.key, this.#upload?.uploadId ?? null);
  }
}

/** Removes an object, and the parts of one that was never finished. */
export async function removeObject(
  bucket: R2Bucket,
  key: string,
  uploadId: string | null,
): Promise<void> {
  if (uploadId !== null) {
    // Fails where the upload was completed or is gone: then there are no parts, and the object goes below.
    await bucket
      .resumeMultipartUpload(key, uploadId)
      .abort()
      .catch(() => undefined);
  }
  await bucket.delete(key);
}
