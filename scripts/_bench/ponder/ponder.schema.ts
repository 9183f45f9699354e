// The history with its arguments, and the rows that these events change; fewer tables than Suanquan's own.
import { index, onchainTable } from "ponder";

export const event = onchainTable(
  "event",
  (t) => ({
    id: t.text().primaryKey(),
    block: t.bigint().notNull(),
    transaction: t.hex().notNull(),
    name: t.text().notNull(),
    args: t.json().notNull(),
    voucher: t.bigint(),
  }),
  (table) => ({ byVoucher: index().on(table.voucher), byTransaction: index().on(table.transaction) }),
);

export const voucher = onchainTable("voucher", (t) => ({
  id: t.bigint().primaryKey(),
  programme: t.integer().notNull(),
  entity: t.hex().notNull(),
  faceFen: t.bigint().notNull(),
  redeemedFen: t.bigint().notNull(),
  writtenOffFen: t.bigint().notNull(),
}));

export const redemption = onchainTable(
  "redemption",
  (t) => ({
    id: t.bigint().primaryKey(),
    voucher: t.bigint().notNull(),
    settlementKey: t.hex().notNull(),
    state: t.text().notNull(),
    amountFen: t.bigint().notNull(),
  }),
  (table) => ({ byVoucher: index().on(table.voucher), byKey: index().on(table.settlementKey) }),
);
