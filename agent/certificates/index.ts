import type { certificatesCommands } from "../../shared/agent-protocol/certificates.ts";
import type { HandlersOf } from "../handlers.ts";
import { issueCertificate } from "./issue.ts";
import { inspectCertificates, renewCertificates } from "./renew.ts";

export { listCertificates } from "./renew.ts";

export const handlers = {
  "ssl.issue": issueCertificate,
  "ssl.renew": renewCertificates,
  "ssl.inspect": inspectCertificates,
} satisfies HandlersOf<typeof certificatesCommands>;
