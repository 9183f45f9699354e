// Figures as people read them. Amounts come in fen, shares in basis points, moments in Unix seconds.

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");

export function amount(fen) {
  const text = String(Math.abs(fen)).padStart(3, "0");
  return `${fen < 0 ? "−" : ""}${grouped(text.slice(0, -2))}.${text.slice(-2)}`;
}

export function instant(seconds) {
  return new Date((seconds + 8 * 3600) * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC+8";
}

export function cell(column, value) {
  if (value === null || value === undefined) return "–";
  switch (column.kind) {
    case "fen":
      return amount(value);
    case "bps":
      return `${(value / 100).toFixed(2)}%`;
    case "seconds":
      return (value / 3600).toFixed(1);
    case "instant":
      return instant(value);
    case "count":
      return column.source === "key" ? String(value) : `${value < 0 ? "−" : ""}${grouped(String(Math.abs(value)))}`;
    case "hash":
      return value.length > 22 ? `${value.slice(0, 12)}…${value.slice(-8)}` : value;
    default:
      return String(value);
  }
}

export const isFigure = (column) =>
  ["fen", "bps", "seconds"].includes(column.kind) || (column.kind === "count" && !["key", "label"].includes(column.source));
