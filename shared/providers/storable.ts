/** Whether Postgres can keep a text: it holds no NUL and no half of a surrogate pair. What cannot be kept is no notice. */
export const isStorable = (text: string): boolean => !text.includes("\0") && text.isWellFormed();
