/** Columns: numbers of one kind, one for each row, in an array that grows with the rows. */

type Column = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** How long a column has to become to hold row `row`, so that growing stays rare. */
export function roomFor(row: number, length: number): number {
  return Math.max(row + 1, Math.ceil(length * 1.5));
}

/** A longer copy of a column, zero where there was nothing. */
export function grown<T extends Column>(column: T, length: number): T {
  const longer = new (column.constructor as new (length: number) => T)(length);
  longer.set(column);
  return longer;
}
