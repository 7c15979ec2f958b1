const tails = new Map<string, Promise<void>>();

/** One command after another works on a backup: a removal or a proof does not overtake a restore of another subject. */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = tails.get(name) ?? Promise.resolve();
  let release = (): void => undefined;
  const mine = new Promise<void>((resolve) => {
    release = resolve;
  });
  const tail = before.then(() => mine);
  tails.set(name, tail);
  await before;
  try {
    return await work();
  } finally {
    release();
    if (tails.get(name) === tail) tails.delete(name);
  }
}
