/**
 * The intents: documents of the fleet repository (`fleet-repo-schema/*.json` is their published form; a test holds
 * both to each other). Everything here is wanted, nothing is observed.
 */
import type { Cluster } from './intents/cluster.ts'
import type { FleetSettings } from './intents/fleet-settings.ts'
import type { Group } from './intents/group.ts'
import type { Installation } from './intents/installation.ts'
import type { InstallationRequest } from './intents/installation-request.ts'
import type { SharedDatabase } from './intents/shared-database.ts'
import type { Tombstone } from './intents/tombstone.ts'

export * from './intents/change-policy.ts'
export * from './intents/cluster.ts'
export * from './intents/common.ts'
export * from './intents/data-kinds.ts'
export * from './intents/fleet-settings.ts'
export * from './intents/group.ts'
export * from './intents/installation.ts'
export * from './intents/installation-request.ts'
export * from './intents/shared-database.ts'
export * from './intents/tombstone.ts'
export * from './intents/utilities.ts'

export type Intent =
  | FleetSettings
  | Cluster
  | Group
  | SharedDatabase
  | Installation
  | InstallationRequest
  | Tombstone
export type IntentKind = Intent['kind']
