const [QUOTE, BACKSLASH] = ['"'.charCodeAt(0), "\\".charCodeAt(0)];
const [OPEN_BRACE, CLOSE_BRACE] = ["{".charCodeAt(0), "}".charCodeAt(0)];
const [OPEN_BRACKET, CLOSE_BRACKET] = ["[".charCodeAt(0), "]".charCodeAt(0)];
const COMMA = ",".charCodeAt(0);

const LONGEST_ROW = 100_000;
const LONGEST_REST = 100_000;

/**
 * Takes `{…, "data": [{…}, {…}], …}` in pieces and gives the text of each row as soon as it is whole, so that a list
 * of any length needs the memory of one row. `rest` is the document without its rows. It does not check the JSON: a
 * row and the rest are parsed by the caller, where anything broken shows.
 */
export class RowSplitter {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Inside an array that stands directly in the outermost object. */
  #inList = false;
  #inRow = false;
  #row = "";
  #rest = "";

  /** The rows that this piece completes. Throws a RangeError when a row or the rest grows beyond reason. */
  push(piece: string): string[] {
    const rows: string[] = [];
    let from = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const mark = piece.charCodeAt(at);
      if (this.#inString) {
        this.#readString(mark);
        continue;
      }
      if (mark === QUOTE) this.#inString = true;
      else if (mark === OPEN_BRACE || mark === OPEN_BRACKET) {
        if (this.#startsRow(mark)) {
          this.#rest += piece.slice(from, at);
          from = at;
          this.#inRow = true;
        }
        this.#depth += 1;
        if (this.#depth === 2 && mark === OPEN_BRACKET) this.#inList = true;
      } else if (mark === CLOSE_BRACE || mark === CLOSE_BRACKET) {
        this.#depth -= 1;
        if (this.#depth === 1) this.#inList = false;
        if (this.#inRow && this.#depth === 2) {
          rows.push(this.#row + piece.slice(from, at + 1));
          this.#row = "";
          this.#inRow = false;
          from = at + 1;
        }
      } else if (mark === COMMA && this.#inList && this.#depth === 2) {
        this.#rest += piece.slice(from, at);
        from = at + 1;
      }
    }
    this.#keep(piece.slice(from));
    return rows;
  }

  /** What stood around the rows: `{"result":true,"data":[],"message":"…"}`. */
  get rest(): string {
    return this.#rest;
  }

  #startsRow(mark: number): boolean {
    return !this.#inRow && this.#inList && this.#depth === 2 && mark === OPEN_BRACE;
  }

  #readString(mark: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (mark === BACKSLASH) this.#escaped = true;
    else if (mark === QUOTE) this.#inString = false;
  }

  #keep(tail: string): void {
    if (this.#inRow) this.#row += tail;
    else this.#rest += tail;
    if (this.#row.length > LONGEST_ROW || this.#rest.length > LONGEST_REST) {
      throw new RangeError("a row or the document around the rows is too long");
    }
  }
}
