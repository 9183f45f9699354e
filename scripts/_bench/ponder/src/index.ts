import { ponder } from "ponder:registry";
import { event as history, redemption, voucher } from "ponder:schema";

const bench = JSON.parse(process.env.SUANQUAN_BENCH!);
// The same that Suanquan leaves out: they accompany every VoucherIssued.
const unrecorded = new Set(["Transfer", "Locked"]);

const plain = (value: unknown): unknown =>
  typeof value === "bigint"
    ? value.toString()
    : Array.isArray(value)
      ? value.map(plain)
      : value !== null && typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
        : value;

async function change(db: any, name: string, args: any) {
  if (name === "VoucherIssued") {
    await db.insert(voucher).values({
      id: args.voucherId,
      programme: args.programmeId,
      entity: args.entity,
      faceFen: BigInt(args.faceFen),
      redeemedFen: 0n,
      writtenOffFen: 0n,
    });
  } else if (name === "Redeemed") {
    const amountFen = BigInt(args.quote.amountFen);
    await db.insert(redemption).values({
      id: args.redemptionId,
      voucher: args.voucherId,
      settlementKey: args.settlementKey,
      state: "provisional",
      amountFen,
    });
    await db.update(voucher, { id: args.voucherId }).set((row: any) => ({ redeemedFen: row.redeemedFen + amountFen }));
  } else if (name === "WrittenOff") {
    const amountFen = BigInt(args.amountFen);
    await db.update(redemption, { id: args.redemptionId }).set({ state: "written_off" });
    await db
      .update(voucher, { id: args.voucherId })
      .set((row: any) => ({ writtenOffFen: row.writtenOffFen + amountFen }));
  }
}

for (const [contract, abi] of Object.entries<any[]>(bench.abis)) {
  for (const { type, name } of abi) {
    if (type !== "event" || unrecorded.has(name)) continue;
    (ponder.on as any)(`${contract}:${name}`, async ({ event, context }: any) => {
      await context.db.insert(history).values({
        id: event.id,
        block: event.block.number,
        transaction: event.transaction.hash,
        name,
        args: plain(event.args),
        voucher: event.args.voucherId ?? null,
      });
      await change(context.db, name, event.args);
    });
  }
}
