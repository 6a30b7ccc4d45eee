// Where a contender's journal lies. Plain data: its process is told it.

/** Where a Restate server is reached. */
export type RestateAddresses = { readonly ingressUrl: string; readonly adminUrl: string };

export type Place = {
  /** Of this contender alone. */
  readonly folder: string;
  readonly postgresUrl: string | undefined;
  readonly restate: RestateAddresses | undefined;
};
