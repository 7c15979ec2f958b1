/**
 * `JSON.parse` that gives whole numbers of 16 digits and more as texts: ids of 17 to 19 digits would lose their last
 * ones in a number of ours.
 */
export function parseBigJson(text: string): unknown {
  // A text is matched as a whole, so that digits inside of it are left alone.
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/g, (match) =>
    match.startsWith('"') ? match : `"${match}"`,
  );
  return JSON.parse(quoted);
}
