# cmake --install, and a .deb by cpack.
option(SBX_SYSTEM_FILES "Install the AppArmor profiles, the slice and the log rotation under /etc and /lib too" OFF)

set(SBX_DEPLOY ${CMAKE_CURRENT_LIST_DIR})
install(FILES ${SBX_DEPLOY}/../docs/man/sbx-launch.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${SBX_DEPLOY}/../README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
# Sources of what an administrator adapts first.
install(DIRECTORY ${SBX_DEPLOY}/apparmor ${SBX_DEPLOY}/selinux ${SBX_DEPLOY}/systemd ${SBX_DEPLOY}/logrotate
        DESTINATION ${CMAKE_INSTALL_DATADIR}/sbx)
if(SBX_SYSTEM_FILES)
  install(FILES ${SBX_DEPLOY}/apparmor/sbx DESTINATION /etc/apparmor.d)
  install(FILES ${SBX_DEPLOY}/logrotate/sbx DESTINATION /etc/logrotate.d)
  install(FILES ${SBX_DEPLOY}/systemd/sbx.slice DESTINATION /lib/systemd/system)
endif()

# The SELinux module, where its compiler is there.
find_program(CHECKMODULE checkmodule)
find_program(SEMODULE_PACKAGE semodule_package)
if(CHECKMODULE AND SEMODULE_PACKAGE)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/selinux/sbx.pp
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/selinux
    COMMAND ${CHECKMODULE} -M -m -o ${CMAKE_BINARY_DIR}/selinux/sbx.mod ${SBX_DEPLOY}/selinux/sbx.te
    COMMAND ${SEMODULE_PACKAGE} -o ${CMAKE_BINARY_DIR}/selinux/sbx.pp -m ${CMAKE_BINARY_DIR}/selinux/sbx.mod
            -f ${SBX_DEPLOY}/selinux/sbx.fc
    DEPENDS ${SBX_DEPLOY}/selinux/sbx.te ${SBX_DEPLOY}/selinux/sbx.fc VERBATIM)
  add_custom_target(selinux ALL DEPENDS ${CMAKE_BINARY_DIR}/selinux/sbx.pp)
  install(FILES ${CMAKE_BINARY_DIR}/selinux/sbx.pp DESTINATION ${CMAKE_INSTALL_DATADIR}/sbx/selinux)
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sbx)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "the sbx developers <sbx@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "apparmor, docker.io, containerd, podman")
if(SBX_SYSTEM_FILES)
  file(WRITE ${CMAKE_BINARY_DIR}/deb/conffiles "/etc/apparmor.d/sbx\n/etc/logrotate.d/sbx\n")
  set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/deb/conffiles)
endif()
include(CPack)
