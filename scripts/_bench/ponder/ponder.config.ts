// The deployment and the node come from the benchmark, in SUANQUAN_BENCH.
import { createConfig } from "ponder";
import type { Abi } from "viem";

const bench = JSON.parse(process.env.SUANQUAN_BENCH!);
const contract = (name: string) => ({
  abi: bench.abis[name] as Abi,
  chain: "node" as const,
  address: bench.addresses[name],
  startBlock: bench.startBlock,
});

export default createConfig({
  database: { kind: "postgres", connectionString: bench.database },
  chains: { node: { id: bench.chainId, rpc: bench.rpc, maxRequestsPerSecond: 1000 } },
  contracts: {
    EntityRegistry: contract("EntityRegistry"),
    EvidenceLog: contract("EvidenceLog"),
    VoucherLedger: contract("VoucherLedger"),
  },
});
