/** The WebAssembly module behind libpg-query, whose own wrapper keeps one instance for ever. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface ParserModule {
    _malloc(bytes: number): number
    _free(pointer: number): void
    _wasm_parse_query_raw(sql: number): number
    _wasm_free_parse_result(result: number): void
    _wasm_parse_plpgsql(sql: number): number
    _wasm_scan(sql: number): number
    _wasm_free_string(pointer: number): void
    lengthBytesUTF8(text: string): number
    stringToUTF8(text: string, pointer: number, bytes: number): void
    UTF8ToString(pointer: number): string
    getValue(pointer: number, type: 'i32'): number
  }
  export default function loadParser(): Promise<ParserModule>
}
