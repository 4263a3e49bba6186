import { type CallOptions, type DeleteOptions, DriverError, type SecretsManagerDriver } from "@coffer/core";
import { wait } from "./deadline.ts";
import type { Context } from "./context.ts";
import { classifyAwsError, explained, isMissing, isPendingDeletion } from "./errors.ts";
import { serviceName } from "./names.ts";
import { DEFAULT_RECOVERY_WINDOW_DAYS } from "./settings-types.ts";

// How long a deletion without recovery is waited for, which AWS does asynchronously.
const GONE_MS = [50, 100, 200, 400, 800, 1600, 1600];

/** Deletions, and what undoes them. */
export function deleting({ api, settings, created, dropped }: Context): Required<Pick<SecretsManagerDriver, "delete" | "restore">> {
  const days = settings.recovery_window_days ?? DEFAULT_RECOVERY_WINDOW_DAYS;

  return {
    async delete(name: string, options: DeleteOptions) {
      const id = serviceName(name, options.scope);
      created.delete(id);
      // Also before a deletion for good: that one alone would succeed for a secret that does not exist.
      await schedule(id, options);
      if (!options.immediate) return;
      try {
        await api.deleteSecret({ SecretId: id, ForceDeleteWithoutRecovery: true }, options);
      } catch (error) {
        if (DriverError.isInstance(error)) throw error;
        const info = classifyAwsError(error, "delete", true);
        throw explained(info.code, error, {
          ...info,
          safeMessage: `It was deleted, with ${days} days to restore it; deleting it for good failed.`,
        });
      }
      dropped.add(id);
      await gone(id, options);
    },

    async restore(name: string, options: CallOptions) {
      const id = serviceName(name, options.scope);
      // The service restores a secret that was not deleted, too.
      const found = await api.describeSecret({ SecretId: id }, options).catch((error: unknown) => {
        throw isMissing(error) ? explained("not_found", error) : error;
      });
      if (found.DeletedDate === undefined) throw new DriverError("not_found", undefined, { safeMessage: "It is not deleted." });
      await api.restoreSecret({ SecretId: id }, options);
      created.add(id);
    },
  };

  /** Deletes with the recovery window. */
  async function schedule(SecretId: string, options: DeleteOptions): Promise<void> {
    try {
      await api.deleteSecret({ SecretId, RecoveryWindowInDays: days }, options);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Scheduled already: by an earlier attempt whose answer was lost, or by somebody else, which is all the same to a deletion for good.
      if (isPendingDeletion(error) && (options.immediate || api.mayHaveHappened(error))) return;
      throw explained("not_found", error);
    }
  }

  /** Waits until the name is free, within bounds. The deletion is accepted by now: whatever goes wrong here, it has been asked for. */
  async function gone(SecretId: string, options: DeleteOptions): Promise<void> {
    for (const pause of GONE_MS) {
      try {
        const { DeletedDate } = await api.describeSecret({ SecretId }, options);
        // Somebody has made a new one already.
        if (DeletedDate === undefined) return;
      } catch {
        return;
      }
      if (options.deadline - performance.now() < pause * 2) return;
      await wait(pause, options);
    }
  }
}
