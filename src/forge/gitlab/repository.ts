/** A project on GitLab and how it is asked. */
import { FleetError } from '../../fleet/errors.ts'
import type { GitLabClient } from './client.ts'

export interface GitLabProject {
  readonly client: GitLabClient
  /** With all its groups: `acme/platform/fleet`; the client encodes it. */
  readonly path: string
  /** Who Fleetwright is there. */
  self(): Promise<GitLabUser>
}

export interface GitLabUser {
  readonly id: number
  readonly login: string
}

/** @throws FleetError `invalid-configuration` */
export function parseProjectPath(path: string): string {
  const parts = path.split('/')
  const isPath =
    parts.length > 1 && parts.every((part) => /^[\p{L}\p{N}_.-]{1,255}$/u.test(part) && !/^\.+$/.test(part))
  if (isPath) return path
  throw new FleetError(
    'invalid-configuration',
    `${path} is not a project on GitLab; it is named group/project.`,
  )
}
