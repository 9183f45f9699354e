// Sends calls with viem as its documentation shows: a local account with the nonce manager, `sendTransaction`.
// In: one JSON object on standard input. Out: seconds and CPU as JSON.
import { readFileSync } from "node:fs";
import { createPublicClient, createWalletClient, defineChain, http } from "viem";
import { nonceManager, privateKeyToAccount } from "viem/accounts";

const { url, chainId, key, to, calls, concurrency, gas } = JSON.parse(readFileSync(0, "utf8"));
const nativeCurrency = { name: "Ether", symbol: "ETH", decimals: 18 };
const chain = defineChain({ id: chainId, name: "bench", nativeCurrency, rpcUrls: { default: { http: [url] } } });
const account = privateKeyToAccount(key, { nonceManager });
const wallet = createWalletClient({ account, chain, transport: http(url) });
const node = createPublicClient({ chain, transport: http(url), pollingInterval: 20 });

const first = await node.getTransactionCount({ address: account.address });
const cpu = process.cpuUsage();
const began = performance.now();
let next = 0;
async function lane() {
    while (next < calls.length) {
        const data = calls[next++];
        await wallet.sendTransaction({ to, data, ...(gas ? { gas: BigInt(gas) } : {}) });
    }
}
await Promise.all(Array.from({ length: concurrency }, lane));
const sent = performance.now();
while ((await node.getTransactionCount({ address: account.address })) < first + calls.length) {
    await new Promise((resolve) => setTimeout(resolve, 10));
}
const mined = performance.now();
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ sent_s: (sent - began) / 1e3, mined_s: (mined - began) / 1e3, cpu_s: (user + system) / 1e6 }));
