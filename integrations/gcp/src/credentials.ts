import { DriverError } from "@coffer/core";
import { GoogleAuth, googleAuthLibrary } from "google-gax";
import type { GcpSettings } from "./settings-types.ts";

const SCOPES = ["https://www.googleapis.com/auth/cloud-platform"];

/** The project that the settings or the environment name; `undefined` when the credentials have to tell. */
export function namedProject({ project }: GcpSettings): string | undefined {
  // The order of Google's own libraries. An empty variable is as good as none.
  return (
    project ??
    ([process.env["GOOGLE_CLOUD_PROJECT"], process.env["GCLOUD_PROJECT"]].find((name) => name !== undefined && name !== "") || undefined)
  );
}

/**
 * The credential that requests are made with, found in the ways of the Google libraries.
 * @param fetchImplementation carries the requests for tokens
 * @throws DriverError `unauthenticated` when there is none, or none that can be used
 */
export async function findCredential(settings: GcpSettings, fetchImplementation: typeof fetch): Promise<GoogleAuth> {
  const project = namedProject(settings);
  // Without the interceptors of the library: they write tokens to its debug log.
  const clientOptions = { useAuthRequestParameters: false, transporterOptions: { fetchImplementation } };
  const options = { scopes: SCOPES, ...(project === undefined ? {} : { projectId: project }) };
  const found = new GoogleAuth({ ...options, clientOptions });
  try {
    const given = await givenClient(settings, found, clientOptions);
    if (given !== undefined) return new GoogleAuth({ ...options, authClient: given });
    await found.getClient();
    return found;
  } catch (error) {
    throw new DriverError("unauthenticated", error, {
      ...(settings.credentials_file === undefined ? {} : { safeMessage: "The file in credentials_file cannot be used as a credential." }),
      hint: "Run `gcloud auth application-default login`, or set credentials_file or GOOGLE_APPLICATION_CREDENTIALS.",
    });
  }
}

type AuthClient = googleAuthLibrary.AuthClient;

async function givenClient(
  { auth, credentials_file: file, anonymous }: GcpSettings,
  loader: GoogleAuth,
  clientOptions: object,
): Promise<AuthClient | undefined> {
  if (auth !== undefined) return ("getClient" in auth ? await auth.getClient() : auth) as AuthClient;
  if (anonymous === true) return new googleAuthLibrary.PassThroughClient(clientOptions);
  if (file === undefined) return undefined;
  // What the library does for GOOGLE_APPLICATION_CREDENTIALS: every kind of credential, without the warning that its public loaders print.
  const client = await loader._getApplicationCredentialsFromFilePath(file, clientOptions);
  if (client instanceof googleAuthLibrary.JWT) client.scopes = SCOPES;
  return client;
}
