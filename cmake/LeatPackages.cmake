# The packages, by CPack: what only they need to know. packaging/make-package calls CPack; packaging/README.md says how.

set(CPACK_PACKAGE_NAME leat)
set(CPACK_PACKAGE_VENDOR "the Leat authors")
set(LEAT_MAINTAINER "The Leat authors <maintainers@leat.invalid>" CACHE STRING "Who maintains the packages: name <address>")
set(CPACK_PACKAGE_CONTACT "${LEAT_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "edge stream processor: Flink SQL beside the sensors")
set(CPACK_PACKAGE_DESCRIPTION
"Leat takes MQTT, Kafka or files in, runs continuous Flink SQL over them, keeps
state and results safe in SQLite while the uplink is down, and forwards them
to Kafka, HTTP, MQTT or files. Every acknowledged message is processed once
and accounted for, also over crashes and power cuts.
.
The package has the daemon with its dashboard, its systemd units, the manual
and examples.")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
# Ends what the install rules cannot say: stripped, compressed, dated; see there.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/settle.cmake)
set(CPACK_LEAT_FOLDER ${CMAKE_CURRENT_SOURCE_DIR})
set(CPACK_LEAT_STRIP ${CMAKE_STRIP})
set(CPACK_LEAT_DASHBOARD_PAGE "${LEAT_DASHBOARD_PAGE}")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Time zones are data, which shlibdeps cannot see; the user is made by systemd's program.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.52), systemd | systemd-standalone-sysusers, tzdata")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "mosquitto, sqlite3")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
if(LEAT_ARCH)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS
    ${LEAT_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} ${LEAT_SYSROOT}/lib/${CMAKE_LIBRARY_ARCHITECTURE})
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${LEAT_ARCH})
endif()
foreach(script postinst prerm postrm conffiles)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/deb/${script})
endforeach()

set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_GROUP "Applications/System")
set(CPACK_RPM_PACKAGE_REQUIRES "systemd, tzdata")
set(CPACK_RPM_POST_INSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/post)
set(CPACK_RPM_PRE_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/preun)
set(CPACK_RPM_POST_UNINSTALL_SCRIPT_FILE ${CMAKE_CURRENT_SOURCE_DIR}/rpm/postun)
set(CPACK_RPM_USER_FILELIST "%config(noreplace) /etc/leat/leat.toml" "%config(noreplace) /etc/leat/pipelines/hot-bearings.sql.example")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
  /etc /usr/lib/systemd /usr/lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d /usr/share/man /usr/share/man/man1 /usr/share/man/man5
  /usr/share/man/man7 /usr/share/doc /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/zsh
  /usr/share/zsh/vendor-completions /usr/share/fish /usr/share/fish/vendor_completions.d)
# The sources' date stands for the time of the build and the build's machine.
set(CPACK_RPM_SPEC_MORE_DEFINE
"%define _buildhost leat
%define use_source_date_epoch_as_buildtime 1
%define clamp_mtime_to_source_date_epoch 1
%define _build_id_links none
%define __os_install_post %{nil}
%define _binary_payload w9.xzdio")

include(CPack)
