import type { Group } from '../../fleet/intents.ts'
import type { Parts } from '../context.ts'
import { annotationViews, envView, lockView, milliseconds } from './common.ts'

/** A group as the original shows it. */
export function groupView(
  { leases }: Pick<Parts, 'leases'>,
  { metadata, spec }: Group,
  installationCount?: number,
): object {
  const { scheduling } = spec
  return {
    ID: metadata.id,
    Sequence: spec.sequence,
    Name: spec.displayName,
    Description: spec.description ?? '',
    Version: spec.version ?? '',
    Image: spec.image ?? '',
    MaxRolling: spec.maxRolling,
    MattermostEnv: envView(spec.env),
    ...(scheduling === undefined
      ? {}
      : {
          Scheduling: {
            NodeSelector: scheduling.nodeSelector ?? null,
            Tolerations: scheduling.tolerations ?? null,
          },
        }),
    CreateAt: milliseconds(metadata.createdAt),
    DeleteAt: milliseconds(metadata.deletedAt),
    APISecurityLock: spec.apiLocked ?? false,
    ...lockView(leases, 'group', metadata.id),
    annotations: annotationViews(metadata.annotations) ?? null,
    ...(installationCount === undefined ? {} : { installation_count: installationCount }),
  }
}
