/** How to sign in. */
export const AUTH_METHODS = ["token", "approle", "kubernetes", "jwt", "userpass"] as const;
/** One of `AUTH_METHODS`; the settings say what each needs. */
export type VaultAuthMethod = (typeof AUTH_METHODS)[number];

/** A client of `node-vault` that the program has made itself. */
export interface ExistingClient {
  request(options: { path: string; method: string; [option: string]: unknown }): Promise<unknown>;
}

/** The settings of the flavor `vault`. All may be left out where the environment says enough; each variable may also start with BAO_, which wins. */
export interface VaultSettings {
  /** The address of the server, `https://vault.example:8200`. Otherwise VAULT_ADDR. */
  readonly address?: string | undefined;
  /** Lets `address` be plain `http` on another machine than this one. The token and the values then travel in the clear. */
  readonly allow_http?: boolean | undefined;
  /** The namespace of Vault Enterprise, HCP or OpenBao, as in `admin/team-a`. Otherwise VAULT_NAMESPACE. Not the `namespace` of Coffer, which is a folder. */
  readonly vault_namespace?: string | undefined;
  /** Where the KV engine is mounted: `secret` by default. */
  readonly mount?: string | undefined;
  /** The version of that engine, 1 or 2. By default the server is asked, once, which takes a request more. */
  readonly kv_version?: 1 | 2 | undefined;
  /** How to sign in. By default what the other settings say: a `role_id`, a `username`, a `jwt`; and without any of them `token`. */
  readonly auth_method?: VaultAuthMethod | undefined;
  /** Where that method is mounted: under its own name by default. */
  readonly auth_mount?: string | undefined;
  /** The token. Otherwise `token_file`, VAULT_TOKEN, or what `vault login` has left in `~/.vault-token`, in this order. */
  readonly token?: string | undefined;
  /** A file that holds the token, as an agent keeps one; read again when the server no longer takes the token. */
  readonly token_file?: string | undefined;
  /** Looks how long the token lives and renews it in time. Tokens of a login are always renewed. */
  readonly renew_token?: boolean | undefined;
  /** The role of `approle`. */
  readonly role_id?: string | undefined;
  /** The secret that belongs to the role. */
  readonly secret_id?: string | undefined;
  /** A file that holds it. */
  readonly secret_id_file?: string | undefined;
  /** The secret is wrapped: it is a token that is exchanged, once, for the secret itself. */
  readonly secret_id_wrapped?: boolean | undefined;
  /** The role of `kubernetes` and `jwt`. */
  readonly role?: string | undefined;
  /** The token that `jwt` and `kubernetes` show. */
  readonly jwt?: string | undefined;
  /** A file that holds it; for `kubernetes` the one of the service account by default. Read anew for every login. */
  readonly jwt_file?: string | undefined;
  /** The user of `userpass`. */
  readonly username?: string | undefined;
  /** The password of that user. */
  readonly password?: string | undefined;
  /** A file that holds it. */
  readonly password_file?: string | undefined;
  /** A PEM file with the authorities that may have signed the server's certificate. Otherwise VAULT_CACERT. */
  readonly ca_file?: string | undefined;
  /** A folder of such files. Otherwise VAULT_CAPATH. */
  readonly ca_path?: string | undefined;
  /** A PEM file with the certificate that the client shows. Otherwise VAULT_CLIENT_CERT. */
  readonly client_cert_file?: string | undefined;
  /** A PEM file with its key. Otherwise VAULT_CLIENT_KEY. */
  readonly client_key_file?: string | undefined;
  /** The name that the server's certificate has to carry, where it is not the one of the address. Otherwise VAULT_TLS_SERVER_NAME. */
  readonly tls_server_name?: string | undefined;
  /** Takes any certificate, so that anybody on the way can read the token. Otherwise VAULT_SKIP_VERIFY, read as Vault reads it. */
  readonly tls_skip_verify?: boolean | undefined;
  /** How often a request is sent again at most, 0 to 10. Otherwise VAULT_MAX_RETRIES, or 2. */
  readonly max_retries?: number | undefined;
  /**
   * Deletes so that `restore` can undo it (KV version 2). The names of deleted secrets stay in the engine's listing, so each name that is listed takes a
   * request more. By default a delete is for good.
   */
  readonly soft_delete?: boolean | undefined;
  /**
   * Marks secrets as written by Coffer, in their custom metadata (KV version 2), which takes a request more per write. Without the marker, in scope `none`, nothing
   * counts as ours: every replacement there needs `adopt`.
   */
  readonly custom_metadata?: boolean | undefined;
  /** Gets a token. Only in programs; asked again when the server no longer takes the last one. */
  readonly token_provider?: (() => Promise<string>) | undefined;
  /** A client of `node-vault` that exists already. Only in programs; it brings its own address, token, namespace and TLS, and is not closed. */
  readonly client?: ExistingClient | undefined;
}
