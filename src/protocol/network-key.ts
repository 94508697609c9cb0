declare const checked: unique symbol;

/** The secret of a private network: 32 random bytes in base64url, 43 characters. */
export type NetworkKey = string & { readonly [checked]: "NetworkKey" };

export function parseNetworkKey(raw: string): NetworkKey | undefined {
  return /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(raw) ? (raw as NetworkKey) : undefined;
}
