import { type NeonQueryFunction, neon, neonConfig } from "@neondatabase/serverless";

export type Client = NeonQueryFunction<boolean, boolean>;

export interface ClientConfig {
  databaseUrl: string;
  /** Where the driver posts its queries; only needed where that is not Neon itself. */
  databaseHttpUrl?: string | undefined;
}

const clients = new Map<string, Client>();

/**
 * The isolate's client: stateless, so it may be shared by requests and is made once per connection string.
 * Each query carries its request id to the endpoint, which counts round trips by it.
 */
export function clientOf(config: ClientConfig): Client {
  const known = clients.get(config.databaseUrl);
  if (known) return known;
  const { databaseHttpUrl } = config;
  if (databaseHttpUrl) neonConfig.fetchEndpoint = () => `${databaseHttpUrl}/sql`;
  neonConfig.fetchFunction = fetchWithRequestId;
  const client: Client = neon<boolean, boolean>(config.databaseUrl, {
    disableWarningInBrowsers: true,
  });
  clients.set(config.databaseUrl, client);
  return client;
}

interface QueryInit extends RequestInit {
  headers: Record<string, string>;
  requestId?: string;
}

/** The driver hands unknown fetch options through; `requestId` is ours and becomes a header. */
function fetchWithRequestId(url: string, init: QueryInit): Promise<Response> {
  const { requestId, ...rest } = init;
  if (requestId) rest.headers["x-request-id"] = requestId;
  return fetch(url, rest);
}
