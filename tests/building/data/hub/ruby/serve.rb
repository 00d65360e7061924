require "socket"
server = TCPServer.new("0.0.0.0", ENV["PORT"].to_i)
loop do
  client = server.accept
  client.gets
  client.print "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"
  client.close
end
