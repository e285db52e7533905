/** What is used of fengari, which has no types of its own. */
declare module 'fengari' {
  interface LuaState {
    readonly opaque: unique symbol
  }
  export const lua: {
    readonly LUA_OK: number
    lua_tojsstring(state: LuaState, index: number): string
    lua_getfield(state: LuaState, index: number, name: Uint8Array): number
    lua_close(state: LuaState): void
    lua_pop(state: LuaState, count: number): void
  }
  export const lauxlib: {
    luaL_newstate(): LuaState
    luaL_requiref(state: LuaState, name: Uint8Array, open: (state: LuaState) => number, global: number): void
    luaL_dostring(state: LuaState, code: Uint8Array): number | boolean
  }
  export const lualib: {
    luaopen_base(state: LuaState): number
    luaopen_table(state: LuaState): number
  }
  export function to_luastring(text: string): Uint8Array
}
