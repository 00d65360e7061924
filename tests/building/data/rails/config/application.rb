require_relative "boot"
require "rails"
require "action_controller/railtie"
require "action_view/railtie"
require "sprockets/railtie"

module Shop
  class Application < Rails::Application
    config.eager_load = true
    config.hosts.clear
  end
end
