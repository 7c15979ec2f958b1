import { createServer } from "node:http";
import { expect, it } from "vitest";
import { startMidtransTwin, startTwins } from "./index.ts";

const keys = {
  midtrans: { serverKey: "SB-Mid-server-TESTKEY0001" },
  kiriminAja: { apiKey: "kiriminaja-test-key-0001" },
  resend: { apiKey: "re_test_0001" },
  ipaymu: { va: "0000001234567890", apiKey: "SANDBOX-TEST-APIKEY-0001" },
  vipReseller: { apiId: "APIID123", apiKey: "APIKEY456" },
  aapanel: { apiKey: "aapanel-test-key-0001" },
  shopee: { partnerId: 2001887, partnerKey: "test_partner_key_0001" },
  lazada: { appKey: "123456", appSecret: "helloworld" },
  tiktokShop: {
    appKey: "testkey123",
    appSecret: "testsecret456",
    serviceId: "7000000000000000001",
  },
  replicate: { token: "r8_test_0001", webhookSecret: "whsec_dGVzdA==" },
  instagram: { appId: "990602627938098", appSecret: "test-instagram-secret-0001" },
  anthropic: { apiKey: "sk-ant-test-0001" },
};

it("starts all of them and stops them", async () => {
  const twins = await startTwins(keys);
  const { stop, ...all } = twins;
  for (const twin of Object.values(all)) {
    expect(await (await fetch(`${twin.url}/_health`)).json()).toEqual({ ok: true });
  }
  await stop();
  await expect(fetch(twins.midtrans.url)).rejects.toThrow();
});

it("stops the others again when one's port is taken, and names it", async () => {
  const first = await startTwins(keys);
  const free = await startMidtransTwin(keys.midtrans);
  await free.stop();
  const clash = startTwins({
    ...keys,
    midtrans: { ...keys.midtrans, port: free.port },
    resend: { ...keys.resend, port: first.resend.port },
  });
  await expect(clash).rejects.toThrow(`Resend twin: port ${first.resend.port} is taken`);
  const probe = createServer().listen(free.port, "127.0.0.1");
  await new Promise((resolve, reject) => probe.once("listening", resolve).once("error", reject));
  probe.close();
  await first.stop();
});
