-- What Prosody makes of each line of a file: as part of an address, and for DNS.
package.cpath = "/usr/lib/prosody/?.so;" .. package.cpath
local encodings = require "util.encodings"
for line in io.lines(arg[1]) do
    local prepared = encodings.stringprep.nameprep(line) or ""
    local hex = prepared:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
    print(hex .. "\t" .. (encodings.idna.to_ascii(line) or ""))
end
