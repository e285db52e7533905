/** JSON Schema of the status of an installation. */
import type { JsonObject } from '../../fleet/intents.ts'
import { REVIEW_SCHEMA } from './reviews.ts'

const TIME = { type: 'string', format: 'date-time' } as const
const OPTIONAL_TEXT = { type: ['string', 'null'] } as const

export const STATUS_SCHEMA: JsonObject = {
  type: 'object',
  required: [
    'id',
    'name',
    'cluster',
    'state',
    'reason',
    'stuck',
    'awaitingReview',
    'requested',
    'committed',
    'synced',
    'live',
    'working',
    'observation',
  ],
  properties: {
    id: { type: 'string' },
    name: { type: 'string' },
    cluster: OPTIONAL_TEXT,
    state: { type: 'string', description: 'As on the wire' },
    reason: { type: 'string', description: 'What the state waits for, or why it failed' },
    wayOut: { type: 'string', description: 'What a person can do' },
    stuck: { type: 'boolean' },
    awaitingReview: {
      type: 'array',
      description:
        'Changes of it that were asked for and count once they are merged; the state knows nothing of them',
      items: REVIEW_SCHEMA,
    },
    since: TIME,
    requested: {
      type: 'object',
      required: ['operation', 'generation', 'at'],
      properties: { operation: { type: 'string' }, generation: { type: 'integer' }, at: TIME },
    },
    committed: {
      type: ['object', 'null'],
      required: ['commit', 'at', 'subject'],
      properties: { commit: { type: 'string' }, at: { type: 'string' }, subject: { type: 'string' } },
    },
    synced: {
      type: 'object',
      required: ['synced'],
      properties: {
        synced: {
          type: ['boolean', 'null'],
          description: 'The engine has applied just what the fleet repository has; null: no engine was heard',
        },
        engine: { type: 'string' },
        unit: { type: 'string' },
        sync: { type: 'string' },
        revision: OPTIONAL_TEXT,
        current: { type: 'boolean' },
        at: TIME,
        reason: { type: 'string' },
      },
    },
    live: { type: 'object', required: ['live'], properties: { live: { type: ['boolean', 'null'] } } },
    working: {
      type: 'object',
      required: ['health', 'reason', 'message'],
      properties: {
        health: { enum: ['healthy', 'progressing', 'suspended', 'degraded', 'missing', 'unknown'] },
      },
    },
    observation: {
      type: 'object',
      required: ['stale', 'observedAt'],
      properties: { stale: { type: 'boolean' }, observedAt: OPTIONAL_TEXT },
    },
  },
}
